import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { connect, type WebSocketConstructor } from '../../src/client/index.js';
import { launchedChromium } from '../support/chromium.js';
import { chromium, describeWith } from '../support/programs.js';
import { serveClient } from '../support/served-client.js';
import { webSocketOrSse } from '../../src/client/sse.js';
import { startClientApp } from './client-app.js';
import { scenarios } from './scenarios.js';

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
  const browser = launchedChromium();

  it.each(scenarios)(
    'in Chromium, $title',
    async ({ run, expected }) => {
      const { url, controls } = await startClientApp();
      const user = `browser-${String(++users)}`;
      const page = await browser().newPage();
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
