import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { describeWith, runtimes } from '../support/programs.js';
import { startClientApp } from './client-app.js';

const client = pathToFileURL(resolve(import.meta.dirname, '../../dist/client/index.js')).href;
const script = resolve(import.meta.dirname, 'runtime-scenarios.mjs');
const topic = 'history/runtime';

for (const program of runtimes) {
  describeWith(program)(`The client in ${program.name}`, () => {
    it('[L-10.3] takes the snapshot, comes back from RST and FIN without a loss, and from a refusal within 1.5 s', async () => {
      const { url, controls } = await startClientApp();
      const actions: Record<string, () => Promise<unknown>> = {
        '/publish': () => controls.publish(topic, 'x'),
        '/reset': () => controls.cut('runtime'),
        '/end': () => controls.end('runtime'),
      };
      const control = createServer((request, response) => {
        void actions[request.url ?? '']?.().then(() => response.end('done'));
      });
      await new Promise<void>((listening) => {
        control.listen(0, '127.0.0.1', listening);
      });
      onTestFinished(() => void control.close());
      const { port } = control.address() as AddressInfo;
      const [command] = program.check;
      const before = program.name === 'Deno' ? ['run', '-A'] : [];
      const { stdout } = await promisify(execFile)(
        command,
        [...before, script, client, url, `http://127.0.0.1:${String(port)}`],
        { timeout: 50_000 },
      );
      const seen = JSON.parse(stdout) as { refusedThenOpenMs: number };
      console.log(`${program.name}: refused, then open after ${String(seen.refusedThenOpenMs)} ms`);
      expect(seen).toMatchObject({
        asked: ['connect', 'rejected'],
        log: ['start', 1, 2, 3, 4, 5],
        published: 6,
        state: 'closed',
      });
      expect(seen.refusedThenOpenMs).toBeLessThan(1_500);
    }, 60_000);
  });
}
