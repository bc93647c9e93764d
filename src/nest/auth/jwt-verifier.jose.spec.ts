import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { jwtSettingsOf } from './resolve-jwt.js';
import { createJwtVerifier } from './jwt-verifier.js';

const failing = (code: string) => () => Promise.reject(Object.assign(new Error('no'), { code }));

describe('jwt: jose', () => {
  const settings = jwtSettingsOf({ secret: 'k'.repeat(32) });

  it('[L-1.6] a missing jose stops the start with the command that installs it', async () => {
    const message = 'JwtConnectionGuard needs the package jose, which is not installed: npm i jose';
    await expect(createJwtVerifier(settings, failing('ERR_MODULE_NOT_FOUND'))).rejects.toThrow(message);
    await expect(createJwtVerifier(settings, failing('ERR_OTHER'))).rejects.toThrow(/^no$/);
  });

  it('[L-1.6] no static import loads jose, so that other guards work without it', () => {
    const files = readdirSync(import.meta.dirname).filter((name) => !name.endsWith('.spec.ts'));
    const named = files.filter((name) => {
      const text = readFileSync(`${import.meta.dirname}/${name}`, 'utf8');
      return /(from|import)\s+'jose'/.test(text);
    });
    expect(files.length).toBeGreaterThan(5);
    expect(named).toEqual([]);
  });
});
