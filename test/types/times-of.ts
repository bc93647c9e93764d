import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';

const root = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);

const config = {
  extends: join(root, 'tsconfig.json'),
  compilerOptions: {
    noEmit: true,
    noUnusedLocals: false,
    lib: ['es2023', 'dom'],
    rootDir: root,
    // The published types instead of the sources: the package finds itself by its name.
    paths: {},
  },
  include: ['.'],
  exclude: [],
};

/**
 * How many seconds a version of `tsc` takes for each project, a new process each time, five rounds
 * in turn. Needs `npm run build` before.
 */
export async function timesOf(
  projects: ReadonlyMap<string, ReadonlyMap<string, string>>,
  version: string,
): Promise<Map<string, number[]>> {
  const tools = mkdtempSync(join(tmpdir(), 'live-tsc-'));
  const folder = mkdtempSync(join(import.meta.dirname, 'timed-'));
  try {
    await run('npm', ['install', '--prefix', tools, '--no-save', `typescript@${version}`]);
    for (const [name, files] of projects) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'tsconfig.json'), JSON.stringify(config));
      for (const [file, text] of files) writeFileSync(join(folder, name, file), text);
    }
    const seconds = new Map([...projects.keys()].map((name) => [name, [] as number[]]));
    for (let round = 0; round < 5; round++)
      for (const name of seconds.keys()) {
        const begun = performance.now();
        await run(join(tools, 'node_modules/.bin/tsc'), ['-p', join(folder, name)]);
        seconds.get(name)?.push((performance.now() - begun) / 1_000);
      }
    return seconds;
  } finally {
    rmSync(tools, { recursive: true });
    rmSync(folder, { recursive: true });
  }
}
