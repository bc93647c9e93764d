import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { sleep } from '../brokers/support/waiting.js';
import { freePort } from '../support/redis-server.js';

/** `npm run example` */
export const runner = resolve(import.meta.dirname, '../../examples/run.mjs');

/**
 * Starts an example as its reader does, and returns its address. The example must drain with exit
 * code 0 at the end of the test.
 */
export async function startExample(
  example: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const port = await freePort();
  const url = `http://localhost:${String(port)}`;
  const env = {
    PATH: process.env['PATH'],
    PORT: String(port),
    PAGE_ORIGIN: url,
    NO_COLOR: '1',
    ...environment,
  };
  const child: ChildProcess = spawn(process.execPath, [runner, example], { env });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const exit = new Promise<number | null>((done) => child.on('exit', done));
  onTestFinished(async () => {
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
  });
  while (!said.includes('successfully started')) {
    if (child.exitCode !== null) throw new Error(`${example} did not start: ${said}`);
    await sleep(20);
  }
  for (;;) {
    if ((await fetch(url).catch(() => undefined)) !== undefined) return url;
    await sleep(20);
  }
}
