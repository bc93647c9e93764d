import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { type Browser, chromium as launcher } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { connect, type WebSocketConstructor } from '../../src/client/index.js';
import { chromiumFlags } from '../support/chromium.js';
import { chromium, describeWith } from '../support/programs.js';
import { webSocketOrSse } from '../../src/client/sse.js';
import { startClientApp } from './client-app.js';
import { scenarios } from './scenarios.js';

const dist = resolve(import.meta.dirname, '../../dist');
let users = 0;

const doors: [string, WebSocketConstructor][] = [
  ['a WebSocket', WebSocket as unknown as WebSocketConstructor],
  ['an event stream', webSocketOrSse({ webSocket: null })],
];

describe.each(doors)('The client in Node, on %s', (_door, webSocket) => {
  it.each(scenarios)('in Node, $title', async ({ run, expected }) => {
    const { url, controls } = await startClientApp({ sse: true });
    const user = `user-${String(++users)}`;
    const result = await run(
      (options) => {
        const client = connect(url, { credential: user, webSocket, ...options });
        client.reconnect();
        return client;
      },
      user,
      controls,
    );
    expect(result).toEqual(expected);
  });
});

describeWith(chromium)('The client in Chromium', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launcher.launch({ executablePath: '/usr/bin/chromium', args: chromiumFlags });
  }, 60_000);

  afterAll(() => browser.close(), 60_000);

  /** Serves the client as shipped, unbundled, on its own origin. */
  async function serveClient(): Promise<string> {
    const server = createServer((request, response) => {
      const file = /^\/(?:client|protocol)\/[\w.-]+\.js$/.exec(request.url ?? '')?.[0];
      response.setHeader('content-type', file === undefined ? 'text/html' : 'text/javascript');
      response.end(file === undefined ? '<!doctype html>' : readFileSync(join(dist, file)));
    });
    await new Promise<void>((listening) => {
      server.listen(0, '127.0.0.1', listening);
    });
    onTestFinished(() => void server.close());
    return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  }

  it.each(scenarios)(
    'in Chromium, $title',
    async ({ run, expected }) => {
      const { url, controls } = await startClientApp();
      const user = `browser-${String(++users)}`;
      const page = await browser.newPage();
      await page.goto(await serveClient());
      for (const [name, control] of Object.entries(controls)) {
        await page.exposeFunction(name, control as (...args: unknown[]) => unknown);
      }
      const options = JSON.stringify({ credential: user });
      const program = `(async () => {
        const { connect } = await import('/client/index.js');
        const run = ({ ${run.toString()} }).run;
        const open = (options) => connect(${JSON.stringify(url)}, { ...${options}, ...options });
        return run(open, ${JSON.stringify(user)}, window);
      })()`;
      expect(await page.evaluate(program)).toEqual(expected);
      await page.close();
    },
    60_000,
  );
});
