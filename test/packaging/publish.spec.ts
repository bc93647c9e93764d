import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { thorough } from '../support/thorough.js';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  exports: Record<string, string | { import: { default: string } }>;
  scripts: Record<string, string>;
  peerDependencies: Record<string, string>;
  peerDependenciesMeta: Record<string, { optional: boolean }>;
  dependencies: Record<string, string>;
};

const kilobytes = (bytes: number): string => `${(bytes / 1_000).toFixed(1)} kB`;

/** Bytes of a module and of all that it imports from the package, at once or on demand. */
function bytesOf(entry: string): number {
  const files = new Set<string>();
  const visit = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    const text = readFileSync(file, 'utf8');
    const names = text.matchAll(/(?:from\s|import\s|import\()\s*'(\.[^']+)'/g);
    for (const [, name = ''] of names) visit(resolve(file, '..', name));
  };
  visit(resolve(root, entry));
  return [...files].reduce((sum, file) => sum + statSync(file).size, 0);
}

describe('The package as it is published', () => {
  let folder = '';
  let tarball = '';

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'nestjs-live-pack-'));
    await run('npm', ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder], {
      cwd: root,
    });
    tarball = join(folder, readdirSync(folder)[0] ?? '');
  }, 120_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('publint has no complaint about the tarball', async () => {
    const publint = join(root, 'node_modules/publint/src/cli.js');
    const { stdout } = await run(process.execPath, [publint, tarball, '--strict'], { cwd: root });
    expect(stdout).toContain('All good!');
  }, 120_000);

  it.runIf(thorough)(
    'attw finds no wrong type in any entry, from ES modules and from CommonJS',
    async () => {
      const attw = join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js');
      // It rejects when attw exits with 1.
      const { stdout } = await run(
        process.execPath,
        [attw, tarball, '--profile', 'node16', '--format', 'ascii'],
        { cwd: root, maxBuffer: 2 ** 24 },
      );
      expect(stdout).toContain('nestjs-live/client');
    },
    180_000,
  );

  it('the sizes of the tarball and of every entry are printed', () => {
    const entries = Object.entries(manifest.exports).flatMap(([name, entry]) =>
      typeof entry === 'string' ? [] : [`${name}: ${kilobytes(bytesOf(entry.import.default))}`],
    );
    const size = statSync(tarball).size;
    console.info(`tarball: ${kilobytes(size)}; entries with all that they import: ${entries.join(', ')}`);
    expect(size).toBeLessThan(1_500_000);
  });

  it('a pack from a clean clone builds first', () => {
    expect(manifest.scripts['prepack']).toBe('npm run build');
  });

  it('an installation brings nothing but ws, because every peer is optional', () => {
    expect(Object.keys(manifest.dependencies)).toEqual(['ws']);
    const peers = Object.keys(manifest.peerDependencies);
    expect(peers.filter((name) => manifest.peerDependenciesMeta[name]?.optional !== true)).toEqual([]);
  });
});
