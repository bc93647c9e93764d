import { startWs, wsDialect } from './ws-server.js';

export const title = 'ws, one shared buffer';
export const dialect = wsDialect;

/**
 * The best known way with the public API of `ws`: one `JSON.stringify`, one Buffer, a `send` per
 * client.
 */
export async function start() {
  return startWs((topics) => (topic, data) => {
    const message = Buffer.from(JSON.stringify({ type: 'event', topic, data }));
    for (const client of topics.get(topic) ?? []) {
      if (client.readyState === client.OPEN) client.send(message, { binary: false });
    }
  });
}
