// A nats-server with JetStream for the benchmark, on a free loopback port with a private folder.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { freePort } from './free-port.js';

/** Its version, or `undefined` if it is not installed. */
export function natsVersion() {
  try {
    return execFileSync('nats-server', ['--version'], { encoding: 'utf8' }).trim().replace(/^.*v/, '');
  } catch {
    return undefined;
  }
}

export async function startNats() {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'bench-nats-'));
  const args = ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', folder];
  const child = spawn('nats-server', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  process.once('exit', () => child.kill('SIGKILL'));
  await new Promise((ready, failed) => {
    child.stderr.on('data', (chunk) => String(chunk).includes('Server is ready') && ready());
    child.once('exit', () => failed(new Error('nats-server has ended')));
  });
  return {
    url: `nats://127.0.0.1:${String(port)}`,
    /** Microseconds of CPU since its start, in steps of 10 ms. Linux only. */
    cpuMicros() {
      const fields = readFileSync(`/proc/${String(child.pid)}/stat`, 'utf8')
        .split(') ')[1]
        .split(' ');
      return (Number(fields[11]) + Number(fields[12])) * 10_000;
    },
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
