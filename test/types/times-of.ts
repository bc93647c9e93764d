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
  },
  include: ['.'],
  exclude: [],
};

/** Files of a project, by name. */
type Project = ReadonlyMap<string, string>;

/** Calls `use` with a version of `tsc`, and with a folder that has each project in a folder. */
async function withCompiler<Value>(
  projects: ReadonlyMap<string, Project>,
  version: string,
  compilerOptions: object,
  use: (tsc: (name: string, ...options: string[]) => Promise<string>) => Promise<Value>,
): Promise<Value> {
  const tools = mkdtempSync(join(tmpdir(), 'live-tsc-'));
  const folder = mkdtempSync(join(import.meta.dirname, 'timed-'));
  const settings = { ...config, compilerOptions: { ...config.compilerOptions, ...compilerOptions } };
  try {
    await run('npm', ['install', '--prefix', tools, '--no-save', `typescript@${version}`]);
    for (const [name, files] of projects) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'tsconfig.json'), JSON.stringify(settings));
      for (const [file, text] of files) writeFileSync(join(folder, name, file), text);
    }
    const tsc = join(tools, 'node_modules/.bin/tsc');
    return await use(async (name, ...options) => {
      const { stdout } = await run(tsc, ['-p', join(folder, name), ...options]);
      return stdout;
    });
  } finally {
    rmSync(tools, { recursive: true });
    rmSync(folder, { recursive: true });
  }
}

/**
 * How many seconds a version of `tsc` takes for each project, a new process each time, five rounds
 * in turn. Needs `npm run build` before, because it reads the published types: the package finds
 * itself by its name.
 */
export function timesOf(
  projects: ReadonlyMap<string, Project>,
  version: string,
): Promise<Map<string, number[]>> {
  return withCompiler(projects, version, { paths: {} }, async (tsc) => {
    const seconds = new Map([...projects.keys()].map((name) => [name, [] as number[]]));
    for (let round = 0; round < 5; round++)
      for (const name of seconds.keys()) {
        const begun = performance.now();
        await tsc(name);
        seconds.get(name)?.push((performance.now() - begun) / 1_000);
      }
    return seconds;
  });
}

/** How many types a version of `tsc` instantiates for each project, with the library's sources. */
export function countsOf(
  projects: ReadonlyMap<string, Project>,
  version: string,
  ...options: string[]
): Promise<Map<string, number>> {
  return withCompiler(projects, version, {}, async (tsc) => {
    const counts = new Map<string, number>();
    for (const name of projects.keys()) {
      const said = await tsc(name, '--extendedDiagnostics', ...options);
      counts.set(name, Number(/Instantiations:\s+(\d+)/.exec(said)?.[1]));
    }
    return counts;
  });
}
