import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { thorough } from '../support/thorough.js';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  exports: Record<string, unknown>;
};
/** What every Nest application needs; the other peers are for single entries and guards. */
const needed = [
  '@nestjs/common',
  '@nestjs/core',
  '@nestjs/platform-ws',
  '@nestjs/websockets',
  'class-validator',
  'reflect-metadata',
  'rxjs',
];
const versions = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.peerDependencies };
const spec = (name: string): string => `${name}@${(versions[name] ?? '*').split(' || ').at(-1) ?? '*'}`;
const optional = Object.keys(manifest.peerDependencies).filter((name) => !needed.includes(name));

let app = '';

async function npm(...args: string[]): Promise<void> {
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  await run('npm', [...args, ...quiet], { cwd: app, maxBuffer: 2 ** 24 });
}

async function node(...args: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, args, {
    cwd: app,
    env: { ...process.env, NODE_ENV: 'test' },
  });
  return stdout;
}

/** Snippets that others import, and the names under which they do. */
const importedSnippets: Readonly<Record<string, string>> = {
  'docs-quick-start-md-0.ts': 'fleet.module.ts',
};

/**
 * Writes every TypeScript snippet of the documents to a file. The README's first is the app's
 * module.
 */
function writeSnippets(): string[] {
  const documents = ['README.md', ...readdirSync(join(root, 'docs')).map((file) => `docs/${file}`)];
  const snippets = documents
    .filter((file) => file.endsWith('.md'))
    .flatMap((file) => {
      const blocks = [...readFileSync(join(root, file), 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)];
      return blocks.map(
        ([, text = ''], i) => [`${file.replaceAll(/\W/g, '-')}-${String(i)}.ts`, text] as const,
      );
    });
  return snippets.map(([name, text], i) => {
    const file = i === 0 ? 'app.module.ts' : (importedSnippets[name] ?? name);
    writeFileSync(join(app, file), text.includes('import ') ? text : `export {};\n${text}`);
    return file;
  });
}

/** A new Nest application outside the repository, first without and then with optional peers. */
describe('The packed tarball in a fresh Nest application', () => {
  beforeAll(async () => {
    app = mkdtempSync(join(tmpdir(), 'nestjs-live-app-'));
    cpSync(join(import.meta.dirname, 'app'), app, { recursive: true });
    await run('npm', ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', app], {
      cwd: root,
    });
    const tarball = readdirSync(app).find((file) => file.endsWith('.tgz'));
    if (tarball === undefined) throw new Error('npm pack made no tarball');
    writeFileSync(
      join(app, 'package.json'),
      JSON.stringify({ name: 'fresh', private: true, type: 'module' }),
    );
    // The other packages bring `ws` and `class-transformer` themselves.
    await npm(
      'install',
      join(app, tarball),
      ...needed.map(spec),
      spec('@nestjs/testing'),
      spec('@nestjs/platform-fastify'),
    );
  }, 240_000);

  afterAll(() => rmSync(app, { recursive: true, force: true }), 120_000);

  it('the main entry, the client and the testing kit can be imported without any optional peer', async () => {
    const installed = new Set(
      readdirSync(join(app, 'node_modules'), { recursive: false, encoding: 'utf8' }).flatMap((name) =>
        name.startsWith('@')
          ? readdirSync(join(app, 'node_modules', name)).map((each) => `${name}/${each}`)
          : [name],
      ),
    );
    // Fastify brings its own pino, and Nest class-transformer.
    const brought = ['pino', 'class-transformer'];
    expect(optional.filter((name) => installed.has(name) && !brought.includes(name))).toEqual([]);
    const program = `
      for (const entry of ['nestjs-live', 'nestjs-live/client', 'nestjs-live/testing']) {
        console.log(entry, Object.keys(await import(entry)).length > 0);
      }`;
    expect(await node('--input-type=module', '-e', program)).toBe(
      'nestjs-live true\nnestjs-live/client true\nnestjs-live/testing true\n',
    );
  });

  it('the package can be required from CommonJS', async () => {
    const program = "console.log(typeof require('nestjs-live').LiveModule)";
    expect(await node('--no-warnings', '--input-type=commonjs', '-e', program)).toBe('function\n');
  });

  it('the error for a missing optional peer says what to install', async () => {
    await expect(node('needs-jose.mjs')).rejects.toThrow(/npm i jose/);
  });

  it('an application on Fastify works with a guard and a topic', async () => {
    expect(await node('app.mjs', 'fastify')).toBe(
      'fastify: refused 401, welcome ann, event 1, closed 1001\n',
    );
  });

  describe('with the optional peers', () => {
    beforeAll(async () => {
      const forSnippets = [
        'typescript',
        '@types/node',
        '@types/express', // `nest new` installs it
        '@nestjs/platform-socket.io',
        '@nestjs/microservices',
        'vitest',
        'ws',
        'zod',
      ];
      await npm('install', ...[...optional, ...forSnippets].map(spec));
    }, 240_000);

    it('an application on Express works with health, metrics and a JWT guard', async () => {
      expect(await node('app.mjs', 'express')).toBe(
        'express: refused 401, welcome ann, event 1, closed 1001\n',
      );
      expect(await node('full.mjs')).toBe(
        'refused 401, welcome ann, ready up, metrics processor_live_connections 1\n',
      );
    });

    const nodenext = ['nodenext', 'nodenext'] as const;
    it.each(thorough ? [nodenext, ['esnext', 'bundler'] as const] : [nodenext])(
      'the types resolve and every snippet of the documents compiles with module %s and moduleResolution %s',
      async (module, moduleResolution) => {
        const files = ['ambient.d.ts', 'types.ts', ...writeSnippets()];
        const flags =
          '--noEmit --strict --experimentalDecorators --target es2023 --types node --lib es2023,dom'.split(
            ' ',
          );
        flags.push('--module', module, '--moduleResolution', moduleResolution);
        // The check of all declarations takes longer than that of the snippets.
        if (!thorough) flags.push('--skipLibCheck');
        const { stdout } = await run(
          process.execPath,
          [join(app, 'node_modules/typescript/bin/tsc'), ...flags, ...files],
          { cwd: app },
        ).catch((error: unknown) => error as { stdout: string });
        expect(stdout).toBe('');
      },
      180_000,
    );
  });
});

describe('The manifest', () => {
  it('the manifest declares every package that the shipped code imports', () => {
    const declared = new Set([
      ...Object.keys(manifest.dependencies),
      ...Object.keys(manifest.peerDependencies),
    ]);
    const shipped = readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' });
    const named = shipped
      .filter((file) => /\.(js|d\.ts)$/.test(file) && !file.startsWith('standalone/page'))
      .flatMap((file) => [
        ...readFileSync(join(root, 'dist', file), 'utf8').matchAll(
          /(?:\bfrom\s|\bimport\(|^import\s|\brequire\()['"]([^.'"][^'"]*)['"]/gm,
        ),
      ])
      .map(([, name = '']) =>
        name.startsWith('@') ? name.split('/').slice(0, 2).join('/') : (name.split('/')[0] ?? ''),
      )
      .filter((name) => !name.startsWith('node:') && name !== 'nestjs-live');
    expect([...new Set(named)].filter((name) => !declared.has(name)).toSorted()).toEqual([]);
  });

  it('every export of the manifest has a file, and no tests are shipped', () => {
    const shipped = readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' });
    const entries = Object.values(manifest.exports).flatMap((entry) =>
      typeof entry === 'string'
        ? []
        : Object.values(entry as object).flatMap((kind) => Object.values(kind as object)),
    );
    expect(entries.filter((file) => !shipped.includes(String(file).replace('./dist/', '')))).toEqual([]);
    expect(shipped.filter((file) => file.includes('.spec.'))).toEqual([]);
  });

  it('the installed ws is at least version 8.23', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'node_modules/ws/package.json'), 'utf8')) as {
      version: string;
    };
    const [major = 0, minor = 0] = version.split('.').map(Number);
    expect(major > 8 || (major === 8 && minor >= 23)).toBe(true);
  });
});
