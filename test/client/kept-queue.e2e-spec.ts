import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { chromiumFlags } from '../support/chromium.js';
import { deferred } from '../support/deferred.js';
import { chromium, describeWith } from '../support/programs.js';
import { startProgram } from '../support/started-program.js';
import { startClientApp } from './client-app.js';

const root = resolve(import.meta.dirname, '../..');

/** Publishes without a server and reloads; then another user comes, then the first one again. */
const page = `<!doctype html><title>Kept publications</title><script type="module">
import { connect } from '/client/index.js';
import { keptQueue } from '/client/kept-queue.js';
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const url = await (await fetch('/url', { method: 'POST' })).text();
const open = (address, user) => {
  const client = connect(address, { credential: user, queue: { store: keptQueue({ user }) } });
  client.on('error', (error) => fetch('/error', { method: 'POST', body: String(error) }));
  return client;
};
const stage = Number(sessionStorage.getItem('stage') ?? 0);
sessionStorage.setItem('stage', stage + 1);
if (stage === 0) {
  const client = open('ws://127.0.0.1:9/live', 'ann');
  for (const n of [1, 2, 3]) client.publish('history/kept', n).catch(() => {});
  await wait(500);
  location.reload();
} else if (stage === 1) {
  const client = open(url, 'bob');
  await client.publish('history/kept', 'of bob');
  location.reload();
} else if (stage === 2) {
  const client = open(url, 'ann');
  await client.publish('history/kept', 4);
  location.reload();
} else {
  const client = open(url, 'ann');
  await client.publish('history/kept', 5);
  await fetch('/done', { method: 'POST' });
}
</script>`;

describeWith(chromium)('Publications that are kept over a reload, in Chromium', () => {
  it('[L-4.18] kept publications are sent after a reload, once, in order, before later ones, and as their user', async () => {
    if (!existsSync(join(root, 'dist/client/kept-queue.js')))
      execFileSync('node', ['scripts/build.mjs'], { cwd: root });
    const server = await startClientApp();
    const over = deferred<void>();
    const errors: string[] = [];
    const control = createServer((request, response) => {
      const name = request.url?.slice(1) ?? '';
      if (request.method === 'GET') {
        const isCode = /^(?:client|protocol)\/[\w.-]+\.js$/.test(name);
        response.setHeader('content-type', isCode ? 'text/javascript' : 'text/html');
        response.end(isCode ? readFileSync(join(root, 'dist', name)) : page);
        return;
      }
      void text(request).then((body) => {
        if (name === 'done') over.resolve();
        if (name === 'error') errors.push(body);
        response.end(server.url);
      });
    });
    await new Promise<void>((listening) => {
      control.listen(0, '127.0.0.1', listening);
    });
    onTestFinished(() => {
      control.close();
      control.closeAllConnections();
    });
    const { port } = control.address() as AddressInfo;
    const address = `http://127.0.0.1:${String(port)}/`;
    startProgram(['chromium', '--headless', ...chromiumFlags, '--user-data-dir={folder}', address]);
    await over.promise;
    const kept: unknown[] = [];
    const { connect } = await import('../../src/client/index.js');
    const { WebSocket } = await import('ws');
    const reader = connect(server.url, { webSocket: WebSocket, credential: 'reader' });
    const { epoch } = await reader.publish('history/kept', 'end');
    for await (const message of reader.subscribe('history/kept', { since: { epoch, offset: 0 } })) {
      if (message.type !== 'event') continue;
      if (message.data === 'end') break;
      kept.push(message.data);
    }
    reader.close();
    expect(kept).toEqual(['of bob', 1, 2, 3, 4, 5]);
    expect(errors).toEqual([]);
  }, 60_000);
});
