import { existsSync } from 'node:fs';
import process from 'node:process';
import { wsDialect } from './ws-server.js';

const isBuilt = process.versions.modules === '115';
const folder = new URL('../node_modules/@trufflesuite/uws-js-unofficial', import.meta.url);

export const title = isBuilt ? 'uWebSockets.js' : 'uWebSockets.js, in Node 20';
export const dialect = wsDialect;

/** A Node 20, since there are no builds for newer ones. */
export function runtime() {
  return isBuilt ? undefined : process.env['NODE20'];
}

export function missing() {
  if (!existsSync(folder)) return 'npm ci, in the folder bench';
  return isBuilt || runtime() !== undefined ? undefined : 'set NODE20 to the path of a Node 20';
}

/**
 * Broadcasts as its documentation recommends: the socket subscribes, `app.publish` sends one text.
 */
export async function start() {
  const { default: uWS } = await import('@trufflesuite/uws-js-unofficial');
  // Without a build for this Node, the package falls back to a slow copy.
  if (uWS.SSLApp === undefined) {
    throw new Error(`uWebSockets.js has no build for Node ${process.version}: use the peer bun`);
  }
  const text = new TextDecoder();
  const app = uWS.App().ws('/*', {
    message(client, message) {
      const { type, topic } = JSON.parse(text.decode(message));
      if (type !== 'subscribe') return;
      client.subscribe(topic);
      client.send(JSON.stringify({ type: 'subscribed', topic }));
    },
  });
  const port = await new Promise((resolve, reject) => {
    app.listen('127.0.0.1', 0, (listening) => {
      if (listening) resolve(uWS.us_socket_local_port(listening));
      else reject(new Error('uWebSockets.js could not listen'));
    });
  });
  return {
    port,
    publish: (topic, data) => void app.publish(topic, JSON.stringify({ type: 'event', topic, data })),
  };
}
