import { startWs, wsDialect } from './ws-server.js';

export const title = 'ws, stringify and send per client';
export const dialect = wsDialect;

/** A hand-written gateway: every client gets its own `JSON.stringify` and its own `send`. */
export async function start() {
  return startWs((topics) => (topic, data) => {
    for (const client of topics.get(topic) ?? []) {
      if (client.readyState === client.OPEN) client.send(JSON.stringify({ type: 'event', topic, data }));
    }
  });
}
