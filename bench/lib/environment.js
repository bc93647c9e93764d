import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release } from 'node:os';
import process from 'node:process';
import { canPin } from './asking.js';
import { nginxVersion } from './nginx.js';

const packages = ['ws', 'socket.io', '@nestjs/platform-ws', '@trufflesuite/uws-js-unofficial', 'bun'];

/** Peers that could not run, each with a reason. */
export const leftOut = [];

/** The context of the figures: machine, versions, commit and load. */
export function environmentText() {
  const cores = availableParallelism();
  const nginx = nginxVersion();
  return [
    `CPU: ${cpus()[0]?.model.trim() ?? 'unknown'}, ${String(cores)} cores; Linux ${release()}`,
    `Node ${process.version}; ${nginx === undefined ? '' : `nginx ${nginx}; `}${packages.map((name) => `${name} ${versionOf(name)}`).join('; ')}`,
    `Commit ${commit()}; load at the start: ${loadavg()
      .map((load) => load.toFixed(1))
      .join(' ')}${loadavg()[0] > 1 ? ' (not a quiet machine)' : ''}`,
    canPin ? 'Server on core 0, clients on core 1' : 'Not pinned to cores: server and clients may share one',
    ...(leftOut.length === 0 ? [] : [`Left out: ${leftOut.join('; ')}`]),
  ].join('\n');
}

function versionOf(name) {
  const places = ['..', '../..'].map(
    (folder) => new URL(`${folder}/node_modules/${name}/package.json`, import.meta.url),
  );
  const file = places.find(existsSync);
  return file === undefined ? 'not installed' : JSON.parse(readFileSync(file, 'utf8')).version;
}

/** The commit that is measured, or `undefined` if a file of it has changed. */
export function cleanCommit() {
  const text = commit();
  return /^[0-9a-f]+$/.test(text) ? text : undefined;
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
