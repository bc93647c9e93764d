import { describe, expectTypeOf, it } from 'vitest';
import type { WebSocket as WsWebSocket } from 'ws';
import type { connect, LiveClient, LiveClientOptions, Position, RequestShape, TopicShape } from './index.js';

interface Move {
  readonly x: number;
}
interface Chat {
  readonly text: string;
}
interface Fleet {
  readonly vehicles: readonly Move[];
}
interface Notice {
  readonly unread: number;
}
interface Topics {
  'fleet/7': Move;
  'fleet/all': TopicShape<Move, Fleet>;
  [topic: `chat/${string}`]: Chat;
  $user: Notice;
}

/** Never called, like the next function: only the compiler reads it. */
function subscribing(client: LiveClient<Topics>): void {
  client.subscribe('fleet/7', (message) => {
    if (message.type === 'event' && !message.removed) expectTypeOf(message.data).toEqualTypeOf<Move>();
    if (message.type === 'lost') expectTypeOf(message.snapshot).toEqualTypeOf<unknown>();
    if (message.type === 'end') expectTypeOf(message.error).toEqualTypeOf<Error | undefined>();
  });
  client.subscribe('fleet/all', (message) => {
    if (message.type === 'event' && !message.removed) expectTypeOf(message.data).toEqualTypeOf<Move>();
    if (message.type === 'start') expectTypeOf(message.snapshot).toEqualTypeOf<Fleet | undefined>();
  });
  client.subscribe('chat/lobby', (message) => {
    if (message.type !== 'event') return;
    expectTypeOf(message.data).toEqualTypeOf<Chat | undefined>();
    if (message.removed) expectTypeOf(message).toHaveProperty('key').toEqualTypeOf<string>();
    else expectTypeOf(message.data).toEqualTypeOf<Chat>();
  });
  client.subscribe('$user', (message) => {
    if (message.type === 'event' && !message.removed) expectTypeOf(message.data).toEqualTypeOf<Notice>();
  });
  expectTypeOf(client.publish('chat/lobby', { text: 'hi' }, { key: 'k' })).toEqualTypeOf<Promise<Position>>();
  // @ts-expect-error: a topic that the map does not have
  client.subscribe('fleet/8');
  // @ts-expect-error: data of another topic
  void client.publish('fleet/7', { text: 'hi' });
  expectTypeOf(
    client.publish('chat/lobby', undefined, { key: 'k', remove: true }),
  ).resolves.toEqualTypeOf<Position>();
  // @ts-expect-error: a removal without its key
  void client.publish('chat/lobby', undefined, { remove: true });
  // @ts-expect-error: an event only a subscription has
  client.on('end', () => {});
}

async function iterating(client: LiveClient<Topics>, free: LiveClient): Promise<void> {
  for await (const message of client.subscribe('chat/lobby', { maxQueued: 1 })) {
    expectTypeOf(message.type).toEqualTypeOf<'start' | 'event' | 'lost'>();
    if (message.type === 'event' && !message.removed) expectTypeOf(message.data.text).toEqualTypeOf<string>();
  }
  for await (const message of free.subscribe('any/topic')) {
    if (message.type === 'event') expectTypeOf(message.data).toEqualTypeOf<unknown>();
  }
}

interface Requests {
  'trip.book': RequestShape<{ readonly seat: number }, { readonly ticket: string }>;
  'trip.list': RequestShape<undefined, readonly string[]>;
}

function requesting(client: LiveClient<Topics, Requests>, free: LiveClient): void {
  expectTypeOf(client.request('trip.book', { seat: 7 })).resolves.toEqualTypeOf<{
    readonly ticket: string;
  }>();
  expectTypeOf(client.request('trip.list')).resolves.toEqualTypeOf<readonly string[]>();
  expectTypeOf(free.request('any', 1, { timeoutMs: 1 })).resolves.toEqualTypeOf<unknown>();
  // @ts-expect-error: a request that the map does not have
  void client.request('trip.drop');
  // @ts-expect-error: a request without its data
  void client.request('trip.book');
  // @ts-expect-error: data of another shape
  void client.request('trip.book', { seat: '7' });
}

describe('types of the client', () => {
  it('the data and the answer of a request follow from a map of requests', () => {
    expectTypeOf(requesting).parameters.toEqualTypeOf<[LiveClient<Topics, Requests>, LiveClient]>();
    expectTypeOf<ReturnType<typeof connect<Topics, Requests>>>().toEqualTypeOf<
      LiveClient<Topics, Requests>
    >();
  });

  it('the types of the client follow from a map of topics', () => {
    expectTypeOf(subscribing).parameter(0).toEqualTypeOf<LiveClient<Topics>>();
    expectTypeOf(iterating).parameters.toEqualTypeOf<[LiveClient<Topics>, LiveClient]>();
    expectTypeOf<ReturnType<typeof connect<Topics>>>().toEqualTypeOf<LiveClient<Topics>>();
  });

  it('the client accepts the WebSocket type of ws', () => {
    const options = (webSocket: typeof WsWebSocket): LiveClientOptions => ({
      webSocket,
      credential: undefined,
    });
    expectTypeOf(options).returns.toEqualTypeOf<LiveClientOptions>();
  });
});
