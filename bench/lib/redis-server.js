// A redis-server for the benchmark, on a free loopback port with a private folder.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { freePort } from './free-port.js';

/** Its version, or `undefined` if it is not installed. */
export function redisVersion() {
  try {
    const text = execFileSync('redis-server', ['--version'], { encoding: 'utf8' });
    return /v=(\S+)/.exec(text)?.[1];
  } catch {
    return undefined;
  }
}

export async function startRedis() {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'bench-redis-'));
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder];
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  process.once('exit', () => child.kill('SIGKILL'));
  await new Promise((ready, failed) => {
    child.stdout.on('data', (chunk) => String(chunk).includes('Ready to accept') && ready());
    child.once('exit', () => failed(new Error('redis-server has ended')));
  });
  return {
    url: `redis://127.0.0.1:${String(port)}`,
    async stop() {
      const ended = new Promise((done) => {
        child.once('exit', done);
      });
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
