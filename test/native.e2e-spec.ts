import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LiveService, type SendBatch } from '../src/index.js';
import { LiveTestClient } from '../src/testing/index.js';
import { checkBatches } from './support/batch-check.js';
import { startLiveApp } from './support/live-app.js';
import { cCompiler, describeWith } from './support/programs.js';
import { thorough } from './support/thorough.js';

const root = resolve(import.meta.dirname, '..');
const folder = join(root, 'native');

/** Many connections, on a machine that may be busy. */
const longMs = 60_000;

const descriptorOf = (socket: Socket): number =>
  (socket as unknown as { _handle: { fd: number } | null })._handle?.fd ?? -1;

describeWith(cCompiler)('nestjs-live-native', () => {
  const own = mkdtempSync(join(tmpdir(), 'small-buffers-'));
  let sendBatch: SendBatch;
  let shrink: (descriptor: number, bytes: number) => void;

  beforeAll(async () => {
    execFileSync(process.execPath, [join(folder, 'build.mjs')], { stdio: 'ignore' });
    ({ sendBatch } = (await import(pathToFileURL(join(folder, 'index.js')).href)) as {
      sendBatch: SendBatch;
    });
    const file = join(own, 'small-buffers.node');
    const source = join(root, 'test/support/small-buffers.c');
    execFileSync('gcc', ['-shared', '-fPIC', '-nostdlib', '-o', file, source]);
    const addon = { exports: {} as { shrink: typeof shrink } };
    process.dlopen(addon, file);
    ({ shrink } = addon.exports);
  });

  afterAll(() => rmSync(own, { recursive: true }));

  it(
    'any writes arrive in order and are counted, as through streams',
    async () => {
      await checkBatches(sendBatch, thorough ? 60 : 10);
    },
    longMs,
  );

  it(
    'any writes arrive in order and are counted, with small buffers',
    async () => {
      await checkBatches(sendBatch, thorough ? 60 : 10, ({ below, peer }) => {
        shrink(descriptorOf(below), 1);
        shrink(descriptorOf(peer.socket), 16_384);
      });
    },
    longMs,
  );

  it('calls with too few rows, without a table, or with no bytes write nothing', () => {
    expect(() => sendBatch(2, new Int32Array(3), [])).toThrow(TypeError);
    expect(() => sendBatch(-1, new Int32Array(3), [])).toThrow(TypeError);
    expect(() => sendBatch(1, [1, 0, 0] as unknown as Int32Array, [])).toThrow(TypeError);
    const rows = Int32Array.of(1, 0, 0, -1, 0, 0, 1, 7, 0);
    sendBatch(3, rows, ['text' as unknown as Uint8Array]);
    expect([rows[2], rows[5], rows[8]]).toEqual([-9, -9, -9]);
  });

  it('an application with the option publishes to all subscribers by it', async () => {
    let written = 0;
    const counting: SendBatch = (count, rows, buffers) => {
      written += count;
      sendBatch(count, rows, buffers);
    };
    const { url, app } = await startLiveApp({ options: { sendBatch: counting } });
    const clients = await Promise.all(['ann', 'bob'].map((token) => LiveTestClient.connect(url, { token })));
    for (const client of clients) {
      client.send({ type: 'subscribe', id: 1, topic: 'open/1' });
      await client.settle();
    }
    written = 0;
    await app.get(LiveService).publish('open/1', { n: 1 });
    for (const client of clients)
      expect(await client.next()).toMatchObject({ type: 'event', data: { n: 1 } });
    expect(written).toBe(2);
  });

  it('a Node without a binary gets no function, and other runtimes get none', async () => {
    const script = `Object.defineProperty(process, 'arch', { value: 'none' });
      console.log((await import(${JSON.stringify(pathToFileURL(join(folder, 'index.js')).href)})).sendBatch)`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    expect(stdout).toBe('undefined\n');
  });

  it('the package has no install script, and its archive has the binary', async () => {
    const { stdout } = await promisify(execFile)('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: folder,
    });
    const [archive] = JSON.parse(stdout) as [{ files: { path: string }[] }];
    const files = archive.files.map(({ path }) => path);
    expect(files).toContain(`prebuilds/linux-${process.arch}.node`);
    expect(files).not.toContain('binding.gyp');
  });
});
