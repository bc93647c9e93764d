import { startWs, wsDialect } from './ws-server.js';

export const title = 'ws, deflate per client';
export const dialect = wsDialect;

/**
 * One text for all, which `ws` compresses for each client with the settings of its documentation.
 */
export async function start() {
  const publish = (topics) => (topic, data) => {
    const text = JSON.stringify({ type: 'event', topic, data });
    for (const client of topics.get(topic) ?? []) {
      if (client.readyState === client.OPEN) client.send(text);
    }
  };
  return startWs(publish, {
    zlibDeflateOptions: { chunkSize: 1_024, memLevel: 7, level: 3 },
    zlibInflateOptions: { chunkSize: 10 * 1_024 },
    clientNoContextTakeover: true,
    serverNoContextTakeover: true,
    serverMaxWindowBits: 10,
    concurrencyLimit: 10,
    threshold: 1_024,
  });
}
