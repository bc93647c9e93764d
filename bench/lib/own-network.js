import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import process from 'node:process';

const settings = '/proc/sys/net/ipv4/tcp_wmem';
/** Least, first and most bytes of a socket's send buffer: the most is what a slow peer far away gets, not one on loopback. */
const sendBuffers = '4096 16384 65536';
const mark = 'BENCH_OWN_NETWORK';

/**
 * Runs the program that calls it again, in a network of its own whose send buffers are small, and ends with it; returns
 * only there, or where that cannot be done: it needs root, `unshare` and `ip`.
 *
 * @returns {string} what the kernel's send buffers are, in words
 */
export function inOwnNetwork() {
  if (
    process.env[mark] === undefined &&
    spawnSync('unshare', ['-n', 'ip', 'link', 'set', 'lo', 'up']).status === 0
  ) {
    const script = `ip link set lo up && echo ${sendBuffers} > ${settings} && exec "$@"`;
    const { status } = spawnSync(
      'unshare',
      ['-n', 'sh', '-c', script, 'sh', process.execPath, ...process.execArgv, ...process.argv.slice(1)],
      {
        stdio: 'inherit',
        env: { ...process.env, [mark]: '1' },
      },
    );
    process.exit(status ?? 1);
  }
  const bytes = readFileSync(settings, 'utf8').trim().split(/\s+/).at(-1);
  return process.env[mark] === undefined
    ? `the kernel's send buffers are the system's, at most ${bytes} bytes: much of what a slow client is sent disappears in them`
    : `the kernel's send buffers are at most ${bytes} bytes, in a network of its own`;
}
