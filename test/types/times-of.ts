import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { onTestFinished } from 'vitest';
import { tscOf } from './tsc.js';

const root = resolve(import.meta.dirname, '../..');
/** Within the repository, so that the projects find its packages; no test reads this folder. */
const artifacts = join(root, 'artifacts');

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

/** The files of some projects by the project's name, and by their own. */
type Projects = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Writes the projects until the end of the test. Returns their folders, by name. */
function written(projects: Projects, compilerOptions: object = {}): Map<string, string> {
  mkdirSync(artifacts, { recursive: true });
  const folder = mkdtempSync(join(artifacts, 'types-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const settings = { ...config, compilerOptions: { ...config.compilerOptions, ...compilerOptions } };
  const place = (name: string, files: ReadonlyMap<string, string>): string => {
    const its = join(folder, name);
    mkdirSync(its);
    writeFileSync(join(its, 'tsconfig.json'), JSON.stringify(settings));
    for (const [file, text] of files) writeFileSync(join(its, file), text);
    return its;
  };
  return new Map([...projects].map(([name, files]) => [name, place(name, files)]));
}

/**
 * How many seconds a version of `tsc` takes for each project, a new process each time, five rounds
 * in turn. Needs `npm run build` before, because it reads the published types: the package finds
 * itself by its name.
 */
export async function timesOf(projects: Projects, version: string): Promise<Map<string, number[]>> {
  const tsc = await tscOf(version);
  const folders = written(projects, { paths: {} });
  const seconds = new Map([...folders.keys()].map((name) => [name, [] as number[]]));
  for (let round = 0; round < 5; round++)
    for (const [name, folder] of folders) {
      const begun = performance.now();
      await tsc('-p', folder);
      seconds.get(name)?.push((performance.now() - begun) / 1_000);
    }
  return seconds;
}

/** How many types a version of `tsc` instantiates for each project, with the library's sources. */
export async function countsOf(
  projects: Projects,
  version: string,
  ...options: string[]
): Promise<Map<string, number>> {
  const tsc = await tscOf(version);
  const counts = new Map<string, number>();
  for (const [name, folder] of written(projects)) {
    const { stdout } = await tsc('-p', folder, '--extendedDiagnostics', ...options);
    counts.set(name, Number(/Instantiations:\s+(\d+)/.exec(stdout)?.[1]));
  }
  return counts;
}
