import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { connect } from '../../src/client/index.js';
import { webSocketOrSse } from '../../src/client/sse.js';
import { Live } from '../../src/core/live.js';
import type { BrokerSink } from '../../src/core/ports/broker.js';
import type { LiveModuleOptions } from '../../src/index.js';
import { sleep, until } from '../brokers/support/waiting.js';
import { everyProxy, type Start } from '../support/documented-proxies.js';
import { joinedBroker } from '../support/joined-broker.js';
import { startLiveApp } from '../support/live-app.js';
import { describeWith } from '../support/programs.js';
import { freePort } from '../support/redis-server.js';
import { thorough } from '../support/thorough.js';

/** Two instances behind a proxy. */
async function startBehind(start: Start, options: LiveModuleOptions = {}, change?: (text: string) => string) {
  const sinks: BrokerSink[] = [];
  const instance = () =>
    startLiveApp({ options: { broker: joinedBroker(sinks), sse: true, trustedProxies: 1, ...options } });
  const instances = [await instance(), await instance()];
  const port = await freePort();
  await start(
    port,
    instances.map(({ url }) => Number(new URL(url).port)),
    change,
  );
  const close = () => Promise.all(instances.map(({ app }) => app.close()));
  // Before the proxy ends: Apache waits for its streams.
  onTestFinished(async () => void (await close()));
  return {
    port,
    registries: instances.map(({ app }) => app.get(Live).registry),
    publish: (data: unknown) => Promise.all(instances.map(({ live }) => live.publish('open/1', data))),
    close,
  };
}

/** A stream from another address than the proxy's, for which it claims yet another one. */
async function openStream(port: number, authorization = 'Bearer ann'): Promise<IncomingMessage> {
  const headers = { authorization, 'x-forwarded-for': '203.0.113.66', 'accept-encoding': 'gzip, br' };
  const to = { port, host: '127.0.0.1', localAddress: '127.0.0.2', path: '/live/events', headers };
  const response = await new Promise<IncomingMessage>((done, failed) => {
    get({ ...to, agent: false }, done).on('error', failed);
  });
  onTestFinished(() => void response.on('error', () => {}).destroy());
  return response;
}

/** A client whose WebSockets are blocked. */
async function follow(port: number): Promise<unknown[]> {
  const client = connect(`ws://127.0.0.1:${String(port)}/live`, {
    credential: 'ann',
    webSocket: webSocketOrSse({ webSocket: null }),
  });
  onTestFinished(() => client.close());
  const heard: unknown[] = [];
  await new Promise<void>((started) => {
    client.subscribe('open/1', (message) => {
      if (message.type === 'start') started();
      else heard.push(message.type === 'event' ? message.data : message.type);
    });
  });
  return heard;
}

/** What makes each proxy compress whatever it may, and cut what is silent for a second. */
const changes: Readonly<Record<string, { compress(text: string): string; hurry(text: string): string }>> = {
  nginx: {
    compress: (conf) => conf.replace('http {', 'http {\n  gzip on; gzip_min_length 1;\n'),
    hurry: (conf) => conf.replaceAll('60s', '1s'),
  },
  HAProxy: {
    compress: (conf) => conf.replace('balance', 'compression algo gzip\n  balance'),
    hurry: (conf) => conf.replaceAll('60s', '1s'),
  },
  Apache: {
    compress: (conf) =>
      `LoadModule filter_module /usr/lib/apache2/modules/mod_filter.so\n` +
      `LoadModule deflate_module /usr/lib/apache2/modules/mod_deflate.so\n` +
      `${conf}\nAddOutputFilterByType DEFLATE text/html text/plain\n`,
    hurry: (conf) => `Timeout 1\n${conf}`,
  },
  Caddy: {
    compress: (conf) => conf.replace('@live path', 'encode gzip\n  @live path'),
    hurry: (conf) => conf,
  },
};

for (const { program, start } of everyProxy) {
  const { name } = program;
  const change = changes[name];
  describeWith(program)(`docs/scaling.md: event streams behind ${name}`, () => {
    it(`[L-12.1] ${name} passes posts, and each event at once, also if it compresses other answers`, async () => {
      const { port, publish } = await startBehind(start, {}, change?.compress);
      const all = await Promise.all(Array.from({ length: 4 }, () => follow(port)));
      // Nothing follows until an event has come, so none may wait in a buffer.
      for (const n of [1, 2, 3]) {
        await publish(n);
        await until('it has come', () => all.every((heard) => heard.length === n), 5_000);
      }
      expect(all).toEqual(all.map(() => [1, 2, 3]));
    }, 30_000);

    it(`[L-12.2] [L-12.6] ${name} passes client addresses, refusals and a drain on`, async () => {
      const { port, registries, close } = await startBehind(start, {}, change?.compress);
      const stream = await openStream(port);
      expect([stream.statusCode, stream.headers['content-type'], stream.headers['content-encoding']]).toEqual(
        [200, 'text/event-stream; charset=utf-8', undefined],
      );
      const addresses = registries.flatMap((each) => [...each].map(({ remoteAddr }) => remoteAddr));
      expect(addresses).toEqual(['127.0.0.2']);
      const refused = await openStream(port, 'none');
      expect([refused.statusCode, refused.headers['www-authenticate'], await text(refused)]).toEqual([
        401,
        'Bearer',
        '{"statusCode":401,"error":"Unauthorized","message":"Unauthorized"}',
      ]);
      const all = text(stream);
      await close();
      expect(await all).toMatch(
        /^event: session\n.*\nevent: close\ndata: \{"code":1001,"reason":"[^"]+"\}\n\n$/s,
      );
    }, 30_000);

    it.runIf(thorough)(
      `[L-12.5] pings keep a stream open behind ${name} whose timeouts are longer`,
      async () => {
        const { port, registries } = await startBehind(start, { pingIntervalMs: 500 }, change?.hurry);
        await follow(port);
        const opened = registries.flatMap((each) => [...each]);
        await sleep(3_000);
        expect(opened.map(({ open }) => open)).toEqual([true]);
      },
      30_000,
    );
  });
}
