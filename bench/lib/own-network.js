import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { runInstead, thisProgramIn } from './ending.js';

const settings = '/proc/sys/net/ipv4/tcp_wmem';
/** Minimum, default and maximum send buffer of a socket. A slow peer far away gets this maximum. */
const sendBuffers = '4096 16384 65536';
const mark = 'BENCH_OWN_NETWORK';

/**
 * Runs the calling program again in a private network with small send buffers, and exits with it.
 * Returns only in there, or if that is not possible: it needs root, `unshare` and `ip`.
 *
 * @returns {Promise<string>} a description of the kernel's send buffers
 */
export async function inOwnNetwork() {
  if (
    process.env[mark] === undefined &&
    spawnSync('unshare', ['-n', 'ip', 'link', 'set', 'lo', 'up']).status === 0
  ) {
    const script = `ip link set lo up && echo ${sendBuffers} > ${settings} && exec "$@"`;
    const command = ['unshare', '-n', 'sh', '-c', script, 'sh', ...thisProgramIn(process.execPath)];
    await runInstead(command, { ...process.env, [mark]: '1' });
  }
  const bytes = readFileSync(settings, 'utf8').trim().split(/\s+/).at(-1);
  return process.env[mark] === undefined
    ? `the kernel's send buffers have the system's size, at most ${bytes} bytes, and hide much of what a slow client is sent`
    : `the kernel's send buffers are at most ${bytes} bytes, in a private network`;
}
