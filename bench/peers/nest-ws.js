import { note, notesPerAnswer, onNote, onPublish } from './notes.js';
import { listen } from './peer.js';

export const title = "Nest's own WsAdapter";

/** @type {import('./peer.js').Dialect} */
export const dialect = {
  handshake: () => ({ path: '/' }),
  opened: (topics) => ({
    welcome: true,
    say: topics.map((topic) => JSON.stringify({ event: 'subscribe', data: { topic } })),
  }),
  heard: (text) => {
    if (text.startsWith('{"event":"noted"')) return { answered: notesPerAnswer };
    if (text.startsWith('{"event":"published"')) return { answered: 1 };
    if (!text.startsWith('{"event":"subscribed"')) throw new Error(`Unexpected: ${text}`);
    return { subscribed: 1 };
  },
  // `{"event":"event"`: no other message has an `e` at this position.
  isEvent: (bytes, start, end) => end - start > 11 && bytes[start + 10] === 0x65,
  requests: {
    note: JSON.stringify({ event: 'note', data: note }),
    publish: JSON.stringify({ event: 'publish', data: { topic: 'bench/0', data: note } }),
  },
};

/**
 * A gateway as in Nest's documentation: a guard, a DTO, the `ValidationPipe`, and a loop over
 * clients.
 */
export async function start() {
  await import('reflect-metadata');
  const { Module } = await import('@nestjs/common');
  const { NestFactory } = await import('@nestjs/core');
  const { WsAdapter } = await import('@nestjs/platform-ws');
  const { SubscribeMessage, WebSocketGateway, MessageBody, ConnectedSocket } =
    await import('@nestjs/websockets');
  const { decorate } = await import('./decorate.js');

  /** @type {Map<string, Set<import('ws').WebSocket>>} */
  const topics = new Map();
  const publish = (topic, data) => {
    for (const client of topics.get(topic) ?? []) {
      if (client.readyState !== client.OPEN) continue;
      client.send(JSON.stringify({ event: 'event', data: { topic, ...data } }));
    }
  };
  class Gateway {
    handleDisconnect(client) {
      for (const clients of topics.values()) clients.delete(client);
    }
    subscribe({ topic }, client) {
      if (!topics.has(topic)) topics.set(topic, new Set());
      topics.get(topic).add(client);
      return { event: 'subscribed', data: { topic } };
    }
  }
  decorate(Gateway, 'subscribe', [SubscribeMessage('subscribe')], [MessageBody(), ConnectedSocket()]);
  await onNote(Gateway, (count) => ({ event: 'noted', data: { count } }));
  await onPublish(Gateway, (topic, data) => {
    publish(topic, data);
    return { event: 'published', data: { topic } };
  });
  WebSocketGateway()(Gateway);
  class App {}
  Module({ providers: [Gateway] })(App);
  const app = await NestFactory.create(App, { logger: ['error', 'warn'] });
  const server = app.getHttpServer();
  app.useWebSocketAdapter(new WsAdapter(app));
  await app.init();
  return {
    port: await listen(server),
    publish,
  };
}
