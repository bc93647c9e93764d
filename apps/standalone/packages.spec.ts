import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { missingPackages, missingText, serverPackages } from './packages.js';

describe('missingPackages', () => {
  it('missingPackages names those that cannot be resolved', () => {
    const installed = (name: string): string => {
      if (name === 'pino' || name === 'jose') throw new Error('not found');
      return name;
    };
    expect(missingPackages(serverPackages, installed)).toEqual(['jose', 'pino']);
    expect(missingText(['jose', 'pino'])).toContain('npm install jose pino\n');
  });

  it('every package that the server names is one that the manifest declares, or that a declared one asks for', () => {
    const manifest = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../package.json'), 'utf8')) as {
      peerDependencies: Record<string, string>;
    };
    const asked = ['class-transformer', 'pino-http'];
    const declared = new Set([...Object.keys(manifest.peerDependencies), ...asked]);
    expect(serverPackages.filter((name) => !declared.has(name))).toEqual([]);
  });
});
