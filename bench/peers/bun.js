import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import process from 'node:process';
import { wsDialect } from './ws-server.js';

export const title = 'Bun, which is uWebSockets';
export const dialect = wsDialect;

/** The `bun` of the npm package, or the file that its install script would link. */
export function runtime() {
  const places = [`@oven/bun-${process.platform}-${process.arch}/bin/bun`, 'bun/bin/bun.exe'];
  return places
    .map((place) => fileURLToPath(new URL(`../node_modules/${place}`, import.meta.url)))
    .find(existsSync);
}

export function missing() {
  return runtime() === undefined ? 'npm ci, in the folder bench' : undefined;
}

/** Broadcasts as its documentation recommends: the socket subscribes, `server.publish` sends. */
export async function start() {
  const server = globalThis.Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: (request, its) => (its.upgrade(request) ? undefined : new Response('', { status: 400 })),
    websocket: {
      message(client, message) {
        const { type, topic } = JSON.parse(message);
        if (type !== 'subscribe') return;
        client.subscribe(topic);
        client.send(JSON.stringify({ type: 'subscribed', topic }));
      },
    },
  });
  return {
    port: server.port,
    publish: (topic, data) => void server.publish(topic, JSON.stringify({ type: 'event', topic, data })),
  };
}
