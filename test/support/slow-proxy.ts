import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

/** Forwards data from `from` at a limited rate, as a slow line does. */
async function carry(from: Socket, to: Socket, bytesPerSecond: number): Promise<void> {
  try {
    for await (const chunk of from) {
      const { length } = chunk as Buffer;
      await sleep((length / bytesPerSecond) * 1_000);
      if (!to.write(chunk as Buffer)) await once(to, 'drain');
    }
  } catch {
    // One of the sockets is closed.
  }
  to.destroy();
}

/** A loopback TCP proxy in front of `url`, slow toward the client. Returns its URL. */
export async function slowProxy(url: string, bytesPerSecond: number): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect({ port: Number(new URL(url).port), host: '127.0.0.1' });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    upstream.on('close', () => client.destroy());
    client.on('close', () => upstream.destroy());
    client.pipe(upstream);
    void carry(upstream, client, bytesPerSecond);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const through = new URL(url);
  through.port = String((server.address() as AddressInfo).port);
  return through.href;
}
