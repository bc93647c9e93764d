import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/**
 * A TCP proxy between one client and a server. A cut resets both ends and blocks new connections.
 */
export async function cutProxy(port) {
  const sockets = new Set();
  let isCut = false;
  const server = createServer((client) => {
    client.on('error', () => {});
    if (isCut) return client.resetAndDestroy();
    const upstream = connect(port, '127.0.0.1');
    upstream.on('error', () => {});
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ]) {
      sockets.add(one);
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: server.address().port,
    cut() {
      isCut = true;
      for (const socket of sockets) socket.resetAndDestroy();
    },
    heal() {
      isCut = false;
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
