// An nginx in front of two instances, with the configuration of examples/compose.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { canPin } from './asking.js';
import { freePort } from './free-port.js';

/** Whether nginx is installed. */
export function hasNginx() {
  try {
    execFileSync('nginx', ['-v'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Resolves with the URL for clients of two instances, which serve sockets below `path`. */
export async function startNginx([one, two], path) {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'bench-nginx-'));
  const example = new URL('../../examples/compose/nginx.conf', import.meta.url);
  const text = readFileSync(example, 'utf8')
    .replace('one:8081', new URL(one).host)
    .replace('two:8081', new URL(two).host)
    .replace(/(?:one|two):9090/g, '127.0.0.1:9')
    .replace('location = /live', `location ^~ ${path}`)
    .replace('listen 8080', `listen 127.0.0.1:${String(port)}`)
    .replace(/access_log .*;/, 'access_log off;');
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, `daemon off;\npid ${folder}/pid;\nerror_log ${folder}/error.log;\n${text}`);
  const command = ['nginx', '-p', folder, '-c', file];
  // On the core of the servers: on that of the clients, it made their timers seconds late.
  const [program, ...args] = canPin ? ['taskset', '-c', '0', ...command] : command;
  const child = spawn(program, args, { stdio: 'inherit' });
  const end = () => child.kill('SIGTERM');
  process.once('exit', end);
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error('nginx has ended');
    await sleep(20);
  }
  return {
    url: `ws://127.0.0.1:${String(port)}${path}`,
    async stop() {
      process.off('exit', end);
      const ended = new Promise((done) => {
        child.once('exit', done);
      });
      end();
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function answers(port) {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
}
