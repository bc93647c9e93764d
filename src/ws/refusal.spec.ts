import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RawPeer } from '../../test/support/raw-peer.js';
import { Refusal, refuse, serverUnavailable } from './refusal.js';

/** A server that refuses every client once it has sent something. */
async function refuser(refusal: Refusal): Promise<{ server: Server; port: number; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: false }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.once('readable', () => refuse(socket, refusal));
  });
  await new Promise<void>((resolve) =>
    server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, resolve),
  );
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { server, port: (server.address() as AddressInfo).port, sockets };
}

const timers = (): number =>
  process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;

const answer = /^HTTP\/1\.1 503 Service Unavailable\r\n[^]*\r\n\r\n\{"statusCode":503,[^]*\}$/;

async function gone(sockets: Set<Socket>): Promise<void> {
  while (sockets.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('refuse', () => {
  it('[L-1.4] refuse delivers the whole answer to a peer that sends 1 MB more than the server reads', async () => {
    const { port, sockets } = await refuser(serverUnavailable('Not now'));
    const peer = await RawPeer.connect(port);
    peer.send(Buffer.alloc(1_000_000, 'x'));
    await peer.closed;
    expect(peer.text).toMatch(answer);
    await gone(sockets);
  });

  it('[L-1.4] refuse delivers the whole answer to a peer that has already sent its FIN', async () => {
    const { port, sockets } = await refuser(serverUnavailable('Not now'));
    const peer = await RawPeer.connect(port, true);
    peer.socket.end('x');
    await peer.ended;
    expect(peer.text).toMatch(answer);
    await gone(sockets);
  });

  it('[L-1.4] refuse destroys the socket of a peer that neither reads nor leaves', async () => {
    const { port, sockets } = await refuser(serverUnavailable('Not now'));
    const peer = await RawPeer.connect(port, true);
    peer.socket.pause();
    peer.send('x');
    const since = performance.now();
    while (sockets.size === 0) await new Promise(setImmediate);
    await gone(sockets);
    expect(performance.now() - since).toBeLessThan(2_000);
    peer.reset();
  });

  it('5,000 refusals leave no socket and no timer behind', async () => {
    const { port, sockets } = await refuser(serverUnavailable('Not now'));
    const before = timers();
    let answered = 0;
    const one = async (): Promise<void> => {
      const peer = await RawPeer.connect(port);
      peer.send('x');
      await peer.closed;
      if (answer.test(peer.text)) answered += 1;
    };
    const refusedMs = performance.now();
    for (let i = 0; i < 50; i++) await Promise.all(Array.from({ length: 100 }, one));
    await gone(sockets);
    expect(answered).toBe(5_000);
    // The sockets closed because the peers left, not by the timeout of 500 ms.
    expect(timers() - before).toBeLessThan(20);
    expect(performance.now() - refusedMs).toBeLessThan(20_000);
  });

  it.each([400, 401, 403, 404, 418, 426, 429, 500, 503, 599])(
    'a refusal with status %i has a result for the metric',
    (status) => {
      const expected: Record<number, string> = {
        400: 'malformed',
        401: 'unauthorized',
        403: 'forbidden',
        404: 'not-found',
        426: 'wrong-version',
        429: 'too-many',
      };
      expect(new Refusal(status, 'x').result).toBe(expected[status] ?? 'unavailable');
    },
  );
});
