import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import type { LiveModuleOptions } from '../../src/index.js';
import { CutProxy } from '../support/cut-proxy.js';
import { deferred } from '../support/deferred.js';
import { describeWith } from '../support/programs.js';
import { startProgram } from '../support/started-program.js';
import { startClientApp } from './client-app.js';
import { type Command, places } from './runtime-places.js';

const dist = resolve(import.meta.dirname, '../../dist');
const topic = 'history/runtime';

/** `SILENCE=default` runs with the server's default intervals, for two minutes each. */
const silent =
  process.env['SILENCE'] === 'default'
    ? { pingIntervalMs: 25_000, pongTimeoutMs: 10_000 }
    : { pingIntervalMs: 1_000, pongTimeoutMs: 1_000 };

/**
 * Starts a server behind a proxy, and the actions of a scenario. Returns what the scenario has
 * seen.
 */
async function run(
  commandOf: (control: string, scenario: string) => Command,
  scenario: string,
  options: LiveModuleOptions,
): Promise<Record<string, unknown>> {
  let server = await startClientApp(options);
  const network = await CutProxy.to(server.url);
  const done: string[] = [];
  const result = deferred<Record<string, unknown>>();
  const actions: Readonly<Record<string, (body: string) => unknown>> = {
    url: () => network.through(server.url),
    publish: () => server.controls.publish(topic, 'x').then(() => 'done'),
    reset: () => server.controls.cut('runtime'),
    end: () => server.controls.end('runtime'),
    restart: async () => {
      const { port } = new URL(server.url);
      await server.app.close();
      server = await startClientApp({ ...options, port: Number(port) });
    },
    silent: async () => {
      const before = network.messages;
      await sleep(2.5 * silent.pingIntervalMs);
      return network.messages - before;
    },
    forget: () => network.forget(),
    unheard: () => network.unheard,
    result: (body) => result.resolve(JSON.parse(body) as Record<string, unknown>),
  };
  const control = createServer((request, response) => {
    const name = request.url?.slice(1) ?? '';
    const action = request.method === 'POST' ? actions[name] : undefined;
    if (action === undefined) {
      const file = /^(?:client|protocol)\/[\w.-]+\.js$/.test(name) ? join(dist, name) : undefined;
      const here = name === 'runtime-scenarios.mjs' ? name : 'runtime-page.html';
      response.setHeader('content-type', (file ?? here).endsWith('.html') ? 'text/html' : 'text/javascript');
      response.end(readFileSync(file ?? join(import.meta.dirname, here)));
      return;
    }
    done.push(name);
    void text(request)
      .then(action)
      .then((answer) => response.end(String(answer)));
  });
  await new Promise<void>((listening) => {
    control.listen(0, '127.0.0.1', listening);
  });
  onTestFinished(() => {
    network.close();
    control.close();
    control.closeAllConnections();
  });
  const address = `http://127.0.0.1:${String((control.address() as AddressInfo).port)}`;
  const stderr = startProgram(commandOf(address, scenario));
  const tooLate = new AbortController();
  const late = sleep(scenario === 'silence' ? 5 * silent.pingIntervalMs + 60_000 : 60_000, undefined, {
    signal: tooLate.signal,
  }).then(() => {
    throw new Error(`The scenario did not end. Done so far: ${done.join(' ')}\n${stderr()}`);
  });
  try {
    return await Promise.race([result.promise, late]);
  } finally {
    tooLate.abort();
  }
}

for (const [program, commandOf] of places) {
  describeWith(program)(`The client in ${program.name}`, () => {
    it('[L-10.3] a client resumes after RST, FIN and a restart with every loss reported, and after a refusal within 1.5 s', async () => {
      const seen = await run(commandOf, 'day', {});
      console.log(`${program.name}: refused, then open after ${String(seen['refusedThenOpenMs'])} ms`);
      expect(seen).toMatchObject({
        asked: ['connect', 'refresh'],
        log: ['start', 1, 2, 3, 4, 5, 'lost', 1, 2, 'end'],
        cutsBefore: 0,
        published: 2,
        errors: [],
        state: 'closed',
      });
      expect(seen['refusedThenOpenMs']).toBeLessThan(1_500);
    }, 90_000);

    it('[L-8.4] a client notices a dead link, misses nothing after it, and sends at most one message per silent interval', async () => {
      const seen = await run(commandOf, 'silence', silent);
      const { noticedMs, messagesInSilence } = seen as Record<string, number>;
      console.log(
        `${program.name}: noticed after ${String(noticedMs)} ms, ${String(messagesInSilence)} messages in two and a half silent intervals`,
      );
      expect(seen).toMatchObject({ log: ['start', 1, 2, 3, 4, 'end'], messagesUnheard: 1 });
      expect(messagesInSilence).toBeGreaterThan(0);
      expect(messagesInSilence).toBeLessThanOrEqual(2);
      expect(noticedMs).toBeLessThanOrEqual(silent.pingIntervalMs + silent.pongTimeoutMs + 1_000);
    }, 300_000);
  });
}
