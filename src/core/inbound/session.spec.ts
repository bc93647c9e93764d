import { describe, expect, it } from 'vitest';
import { TestLive } from '../../testing/test-live.js';
import type { InboundMessage } from '../../protocol/client-messages.js';
import { LiveError } from '../../protocol/live.error.js';

const invalid = { type: 'error', code: 'protocol-violation', message: 'Invalid message envelope' };

describe('Session', () => {
  it.each(['', 'x', '[]', 'null', '7', '"text"', '{}', '{"type":7}', '{"type":null}', '{"type":"ping"'])(
    '[L-2.2] the invalid message %j is answered with an error, and the connection stays open',
    async (text) => {
      const inbound: string[] = [];
      const { send, received, socket } = new TestLive({
        observer: { inbound: (type) => inbound.push(type) },
      }).connect();
      await send(text);
      await send({ type: 'ping', id: 'still here' });
      expect(received()).toEqual([invalid, { type: 'pong', id: 'still here' }]);
      expect([socket.closedWith, inbound]).toEqual([undefined, ['invalid', 'ping']]);
    },
  );

  it('[L-2.8] messages of the application are handled one at a time, in order; invalid ones are refused at once', async () => {
    const waiting: (() => void)[] = [];
    const handlers = (type: string) => {
      if (type !== 'slow') return undefined;
      return (_connection: unknown, message: InboundMessage) =>
        new Promise((done) => waiting.push(() => done(message['name'])));
    };
    const test = new TestLive({ handlers });
    const { send, received } = test.connect();
    for (const name of ['a', 'b']) await send({ type: 'slow', id: name, name });
    await send('garbage');
    await send({ type: 'unknown', id: 'c' });
    expect([waiting.length, received()]).toEqual([1, [invalid]]);
    waiting.shift()?.();
    await test.clock.settle();
    expect([waiting.length, received()]).toEqual([1, [{ type: 'slow', id: 'a', data: 'a' }]]);
    waiting.shift()?.();
    await test.clock.settle();
    expect(received()).toEqual([
      { type: 'slow', id: 'b', data: 'b' },
      { type: 'error', id: 'c', code: 'not-implemented', message: 'Nothing handles this type' },
    ]);
  });

  it('[L-2.8] reading stops when too many messages wait, and resumes when half of them are done', async () => {
    const waiting: (() => void)[] = [];
    const handlers = () => () => new Promise((done) => waiting.push(() => done(undefined)));
    const test = new TestLive({ handlers, limits: { maxWaitingMessages: 4 } });
    const { send, socket } = test.connect();
    const paused: boolean[] = [];
    for (let i = 0; i < 5; i++) {
      await send({ type: 'slow' });
      paused.push(socket.paused);
    }
    for (let i = 0; i < 3; i++) {
      waiting.shift()?.();
      await test.clock.settle();
      paused.push(socket.paused);
    }
    expect(paused).toEqual([false, false, false, false, true, true, false, false]);
  });

  it('[L-2.11] an internal error is reported with its connection, and the peer learns nothing of it', async () => {
    const failures: unknown[] = [];
    const error = new Error('the password is swordfish');
    const { send, received, session } = new TestLive({
      handlers: () => () => {
        throw error;
      },
      observer: { failed: (...failure) => failures.push(failure) },
    }).connect();
    await send({ type: 'boom', id: 1 });
    expect(received()).toEqual([
      { type: 'error', id: 1, code: 'internal', message: 'The server failed to handle this message' },
    ]);
    expect(failures).toEqual([['handling a message', error, session.connection]]);
  });

  it('[L-2.10] a LiveError of a handler is passed to the peer', async () => {
    const { send, received } = new TestLive({
      handlers: () => async () => {
        throw new LiveError('rate-limited', 'Not so fast', { retryAfterMs: 500 });
      },
    }).connect();
    await send({ type: 'boom', id: 1, topic: 'a/b' });
    expect(received()).toEqual([
      { type: 'error', id: 1, code: 'rate-limited', message: 'Not so fast', topic: 'a/b', retryAfterMs: 500 },
    ]);
  });

  it('[L-2.12] a peer is closed after more than 100 violations in 10 seconds, but not at a slower rate', async () => {
    const test = new TestLive();
    const [hasty, slow] = [test.connect(), test.connect()];
    for (let i = 0; i < 101; i++) {
      hasty.session.received('garbage');
      slow.session.received('garbage');
      await test.clock.settle();
      if (i % 50 === 49) test.clock.advance(1);
      if (i === 60) slow.session.heard();
    }
    expect(hasty.socket.closedWith).toEqual({ code: 4002, reason: 'too many protocol violations' });
    const patient = test.connect();
    for (let i = 0; i < 200; i++) {
      patient.session.received('garbage');
      await Promise.resolve();
      test.clock.advance(101);
      patient.session.heard();
    }
    expect(patient.socket.closedWith).toBeUndefined();
  });

  it('nothing more is handled for a closing connection', async () => {
    const test = new TestLive();
    const { send, session, received } = test.connect();
    session.connection.close(4503, 'enough');
    await send({ type: 'subscribe', topic: 'a' });
    expect([received(), test.live.stats().subscriptions]).toEqual([[], 0]);
  });

  it('[L-2.4] an id that is neither a number nor a short string is refused without being echoed', async () => {
    const { send, received } = new TestLive().connect();
    for (const id of [true, null, {}, 'x'.repeat(65)]) await send({ type: 'ping', id });
    const message = '"id" must be a number or a string of at most 64 characters';
    expect(received()).toEqual(
      Array.from({ length: 4 }, () => ({ type: 'error', code: 'protocol-violation', message })),
    );
  });

  it('[L-2.7] JSON that is too deep is refused before anything walks it, but brackets in a string are allowed', async () => {
    const { send, received } = new TestLive().connect();
    await send(`{"type":"ping","x":${'['.repeat(32_000)}${']'.repeat(32_000)}}`);
    await send(`{"type":"ping","x":${'['.repeat(16)}${']'.repeat(16)}}`);
    await send(`{"type":"ping","id":1,"x":${'['.repeat(15)}"${'[{'.repeat(99)}\\"["${']'.repeat(15)}}`);
    const error = {
      type: 'error',
      code: 'protocol-violation',
      message: 'JSON may be at most 16 levels deep',
    };
    expect(received()).toEqual([error, error, { type: 'pong', id: 1 }]);
  });

  it('[L-9.16] messages waiting to be handled count toward the queued bytes until handled or the peer is gone', async () => {
    const waiting: (() => void)[] = [];
    const handlers = (type: string) =>
      type === 'slow' ? () => new Promise<void>((done) => waiting.push(done)) : undefined;
    const test = new TestLive({ handlers });
    const { send, session } = test.connect();
    const text = JSON.stringify({ type: 'slow', padding: 'x'.repeat(1_000) });
    for (let i = 0; i < 3; i++) await send(text);
    expect(test.live.stats().queuedBytes).toBe(2 * text.length);
    waiting.shift()?.();
    await test.clock.settle();
    expect(test.live.stats().queuedBytes).toBe(text.length);
    session.finished(1006, '');
    expect([session.connection.inboundBytes, test.live.stats().queuedBytes]).toEqual([0, 0]);
  });
});
