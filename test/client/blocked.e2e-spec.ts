import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { deferred } from '../support/deferred.js';
import { chromium, describeWith, firefox } from '../support/programs.js';
import { serveClient } from '../support/served-client.js';
import { startProgram } from '../support/started-program.js';
import { startClientApp } from './client-app.js';
import { places } from './runtime-places.js';

/** What a proxy may do with the handshake of a WebSocket. */
const blocks: Readonly<Record<string, (socket: Duplex) => void>> = {
  'cuts WebSockets': (socket) => socket.destroy(),
  'never answers handshakes': () => {},
};

/** A proxy in front of a server that lets plain requests through only. Returns its origin. */
async function blockingProxy(url: string, block: (socket: Duplex) => void): Promise<string> {
  const { port } = new URL(url);
  const proxy = createServer((incoming, response) => {
    const { method = 'GET', url: path = '/', headers } = incoming;
    const outgoing = request({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.on('error', () => response.destroy()).pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    response.on('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  });
  const held: Duplex[] = [];
  proxy.on('upgrade', (_incoming, socket) => {
    held.push(socket.on('error', () => {}));
    block(socket);
  });
  await new Promise<void>((listening) => {
    proxy.listen(0, '127.0.0.1', listening);
  });
  onTestFinished(() => {
    for (const socket of held) socket.destroy();
    proxy.close();
    proxy.closeAllConnections();
  });
  return `127.0.0.1:${String((proxy.address() as AddressInfo).port)}`;
}

const page = (url: string): string => `<!doctype html><script type="module">
import { connect } from '/client/index.js';
import { webSocketOrSse } from '/client/sse.js';
const startMs = performance.now();
const client = connect('${url}', { credential: 'ann', webSocket: webSocketOrSse() });
const seen = [];
client.subscribe('history/a', ({ type, data }) => {
  if (type !== 'event') return;
  seen.push(data);
  if (seen.length !== 20) return;
  const body = JSON.stringify({ seen, firstMs: seen.firstMs });
  void fetch('/result', { method: 'POST', body });
});
client.subscribe('history/a', () => (seen.firstMs ??= performance.now() - startMs));
</script>`;

for (const [program, commandOf] of places.filter(([{ name }]) =>
  [chromium.name, firefox.name].includes(name),
)) {
  describeWith(program)(`Where WebSockets are blocked, in ${program.name}`, () => {
    it.each(Object.keys(blocks))(
      '[L-12.1] behind a proxy that %s the first event comes within 3 s',
      async (name) => {
        const { url, live } = await startClientApp({ sse: true });
        const host = await blockingProxy(url, blocks[name] ?? (() => {}));
        const result = deferred<{ seen: number[]; firstMs: number }>();
        const files = { '/': page(`ws://${host}/live`) };
        const origin = await serveClient(files, (posted) => {
          void text(posted).then((body) =>
            result.resolve(JSON.parse(body) as { seen: number[]; firstMs: number }),
          );
        });
        const stop = new AbortController();
        onTestFinished(() => stop.abort());
        const publish = async (): Promise<void> => {
          for (let i = 1; !stop.signal.aborted; i++) {
            await live.publish('history/a', i);
            await sleep(20);
          }
        };
        const publishing = publish();
        const stderr = startProgram(commandOf(origin, ''));
        const late = sleep(60_000).then(() => {
          throw new Error(`Nothing came. ${stderr()}`);
        });
        const { seen, firstMs } = await Promise.race([result.promise, late]);
        console.log(`${program.name}, a proxy that ${name}: first event after ${firstMs.toFixed(0)} ms`);
        const first = seen[0] ?? 0;
        expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => first + i));
        expect(firstMs).toBeLessThan(3_000);
        stop.abort();
        await publishing;
      },
      90_000,
    );
  });
}
