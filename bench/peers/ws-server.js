// The common part of the peers on bare `ws`: a server, clients by topic, and a small protocol.
import { createServer } from 'node:http';
import { listen } from './peer.js';

/** @type {import('./peer.js').Dialect} */
export const wsDialect = {
  handshake: () => ({ path: '/' }),
  opened: (topics) => ({
    welcome: true,
    say: topics.map((topic) => JSON.stringify({ type: 'subscribe', topic })),
  }),
  heard: (text) => {
    if (!text.startsWith('{"type":"subscribed"')) throw new Error(`Unexpected: ${text}`);
    return { subscribed: 1 };
  },
  // `{"type":"event"`: no other message has a `v` at this position.
  isEvent: (bytes, start, end) => end - start > 10 && bytes[start + 10] === 0x76,
};

/**
 * @typedef {Map<string, Set<import('ws').WebSocket>>} Topics
 * @param {(topics: Topics) => import('./peer.js').RunningServer['publish']} makePublish
 * @param {import('ws').ServerOptions['perMessageDeflate']} [perMessageDeflate]
 * @param {(sockets: import('ws').WebSocketServer) => void} [watch] called with the server
 */
export async function startWs(makePublish, perMessageDeflate = false, watch = ignore) {
  const { WebSocketServer } = await import('ws');
  const server = createServer();
  const sockets = new WebSocketServer({ server, perMessageDeflate });
  watch(sockets);
  /** @type {Map<string, Set<import('ws').WebSocket>>} */
  const topics = new Map();
  sockets.on('connection', (client) => {
    client.on('error', ignore);
    /** @type {string[] | undefined} */
    let its;
    client.on('close', () => {
      for (const topic of its ?? []) {
        const clients = topics.get(topic);
        clients.delete(client);
        if (clients.size === 0) topics.delete(topic);
      }
    });
    client.on('message', (data) => {
      const { type, topic } = JSON.parse(String(data));
      if (type !== 'subscribe') return;
      if (!topics.has(topic)) topics.set(topic, new Set());
      topics.get(topic).add(client);
      (its ??= []).push(topic);
      client.send(JSON.stringify({ type: 'subscribed', topic }));
    });
  });
  const port = await listen(server);
  return { port, publish: makePublish(topics) };
}

function ignore() {}
