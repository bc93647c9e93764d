import { startWs, wsDialect } from './ws-server.js';

export const title = 'ws, bare, with pings';
export const dialect = wsDialect;

/** As often as nestjs-live. */
const intervalMs = 25_000;

/** For idle connections: pings all clients at once and ends silent ones, as its README has it. */
export async function start() {
  return startWs(
    () => () => {},
    false,
    (sockets) => {
      const alive = new WeakSet();
      sockets.on('connection', (client) => {
        alive.add(client);
        client.on('pong', () => alive.add(client));
      });
      setInterval(() => {
        for (const client of sockets.clients) {
          if (!alive.delete(client)) client.terminate();
          else client.ping();
        }
      }, intervalMs).unref();
    },
  );
}
