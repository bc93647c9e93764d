import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release } from 'node:os';
import process from 'node:process';
import { canPin } from './asking.js';

const packages = ['ws', 'socket.io', '@nestjs/platform-ws', '@trufflesuite/uws-js-unofficial', 'bun'];

/** What a figure is worth nothing without: the machine, the versions, the commit, and what else was going on. */
export function environmentText() {
  const cores = availableParallelism();
  return [
    `CPU: ${cpus()[0]?.model.trim() ?? 'unknown'}, ${String(cores)} cores; Linux ${release()}`,
    `Node ${process.version}; ${packages.map((name) => `${name} ${versionOf(name)}`).join('; ')}`,
    `Commit ${commit()}; load when it began: ${loadavg()
      .map((load) => load.toFixed(1))
      .join(' ')}${loadavg()[0] > 1 ? ' (not a quiet machine)' : ''}`,
    canPin ? 'Server on core 0, clients on core 1' : 'Not tied to cores: server and clients may share one',
  ].join('\n');
}

function versionOf(name) {
  const places = ['..', '../..'].map(
    (folder) => new URL(`${folder}/node_modules/${name}/package.json`, import.meta.url),
  );
  const file = places.find(existsSync);
  return file === undefined ? 'not installed' : JSON.parse(readFileSync(file, 'utf8')).version;
}

function commit() {
  try {
    const cwd = new URL('..', import.meta.url);
    const git = (...args) => execFileSync('git', args, { cwd, encoding: 'utf8' }).trim();
    const changed = git('status', '--porcelain', '--', '../src', '.') === '' ? '' : ' with changes';
    return `${git('rev-parse', '--short', 'HEAD')}${changed}`;
  } catch {
    return 'unknown';
  }
}
