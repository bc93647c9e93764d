import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { versionOfWs } from './ws-version.js';

describe('versionOfWs', () => {
  it('versionOfWs reads the version of the ws that is loaded', () => {
    const root = resolve(import.meta.dirname, '../..');
    const { version } = JSON.parse(readFileSync(join(root, 'node_modules/ws/package.json'), 'utf8')) as {
      version: string;
    };
    expect(versionOfWs()).toBe(version);
  });
});
