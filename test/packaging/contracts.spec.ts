import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build } from 'vite';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');
const { devDependencies: versions } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  devDependencies: Record<string, string>;
};
const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
const needed = [
  '@nestjs/common',
  '@nestjs/core',
  '@nestjs/platform-ws',
  '@nestjs/websockets',
  'class-validator',
  'reflect-metadata',
  'rxjs',
  'zod',
];
const parts = ['server', 'contract', 'front'];

const world = mkdtempSync(join(tmpdir(), 'nestjs-live-contracts-'));
const repository = join(world, 'repository');
const elsewhere = join(world, 'elsewhere');

function writeJson(file: string, content: object): void {
  writeFileSync(file, JSON.stringify(content));
}

/** Packs the package of a folder, and returns the tarball. */
async function pack(folder: string): Promise<string> {
  const target = mkdtempSync(join(world, 'pack-'));
  await run('npm', ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', target], {
    cwd: folder,
  });
  return join(target, readdirSync(target)[0] ?? '');
}

/** What the compiler says about a folder with the options of strict projects. */
async function compile(folder: string, ...flags: string[]): Promise<string> {
  const options = '--strict --target es2023 --lib es2023,dom --module nodenext --skipLibCheck'.split(' ');
  const file = readdirSync(folder).find((name) => name.endsWith('.ts')) ?? '';
  const args = [join(root, 'node_modules/typescript/bin/tsc'), ...options, ...flags, file];
  const { stdout } = await run(process.execPath, args, { cwd: folder }).catch(
    (error: unknown) => error as { stdout: string },
  );
  return stdout;
}

const declarations = ['--experimentalDecorators', '--declaration', '--outDir', 'dist'];

describe('Contracts in a front end', () => {
  beforeAll(async () => {
    for (const part of parts)
      cpSync(join(import.meta.dirname, 'contract', part), join(repository, part), { recursive: true });
    const library = await pack(root);
    const common = { private: true, version: '1.0.0', type: 'module' };
    const versioned = Object.fromEntries(needed.map((name) => [name, versions[name] ?? '*']));
    writeJson(join(repository, 'package.json'), { ...common, name: 'repository', workspaces: parts });
    writeJson(join(repository, 'server/package.json'), {
      ...common,
      private: false,
      name: '@acme/server',
      files: ['dist'],
      exports: { types: './dist/topics.d.ts', default: './dist/topics.js' },
      dependencies: versioned,
      peerDependencies: { 'nestjs-live': '*' },
    });
    writeJson(join(repository, 'contract/package.json'), {
      ...common,
      private: false,
      name: '@acme/contract',
      files: ['dist'],
      exports: { types: './dist/index.d.ts' },
      dependencies: { '@acme/server': '1.0.0' },
    });
    writeJson(join(repository, 'front/package.json'), {
      ...common,
      name: '@acme/front',
      dependencies: { '@acme/contract': '1.0.0', 'nestjs-live': `file:${library}` },
    });
    await run('npm', ['install', ...quiet], { cwd: repository });
    expect(await compile(join(repository, 'server'), ...declarations)).toBe('');
    expect(await compile(join(repository, 'contract'), ...declarations)).toBe('');
    const packed = [
      library,
      await pack(join(repository, 'server')),
      await pack(join(repository, 'contract')),
    ];
    mkdirSync(elsewhere);
    cpSync(join(repository, 'front/main.ts'), join(elsewhere, 'main.ts'));
    writeJson(join(elsewhere, 'package.json'), { ...common, name: 'elsewhere' });
    await run('npm', ['install', ...packed, ...quiet], { cwd: elsewhere });
  }, 300_000);

  afterAll(() => rmSync(world, { recursive: true, force: true }), 120_000);

  it.each([
    ['a monorepo', join(repository, 'front')],
    ['another repository, which installs the published contract', elsewhere],
  ])(
    'the types of topics and requests work in %s',
    async (_place, folder) => {
      expect(await compile(folder, '--noEmit')).toBe('');
    },
    120_000,
  );

  it('the bundle of a front end has the client and nothing of the server', async () => {
    const modules: string[] = [];
    await build({
      root: join(repository, 'front'),
      logLevel: 'silent',
      build: { lib: { entry: 'main.ts', formats: ['es'], fileName: 'main' } },
      plugins: [{ name: 'modules', moduleParsed: ({ id }) => void modules.push(id) }],
    });
    const folders = modules.map((id) => /(?:nestjs-live\/dist\/(\w+)|front)\//.exec(id)?.[0] ?? id);
    expect([...new Set(folders)].toSorted()).toEqual([
      'front/',
      'nestjs-live/dist/client/',
      'nestjs-live/dist/protocol/',
    ]);
    expect(readFileSync(join(repository, 'front/dist/main.js'), 'utf8')).not.toContain('only the server');
  }, 120_000);
});
