import { ForbiddenException } from '@nestjs/common';
import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { describe, expect, it } from 'vitest';
import { LiveError, LiveHandlers, LiveObservers } from '../src/index.js';
import { errorCodes } from '../src/protocol/codes.js';
import { LiveTestClient } from '../src/testing/index.js';
import {
  type LiveAppOptions,
  OpenTopics,
  type Platform,
  platforms,
  startLiveApp,
} from './support/live-app.js';
import { describeOnSockets, itOnSockets, onStreams } from './support/door.js';
import { ShiftedClock } from './support/shifted-clock.js';
import { closeOf, frame, Opcode, texts, WirePeer } from './support/wire-peer.js';

/** Handlers of a host application, one for each kind of answer. */
@LiveHandlers()
class HostHandlers {
  @SubscribeMessage('echo')
  echo(@MessageBody() { value }: { value: unknown }): unknown {
    return value;
  }

  @SubscribeMessage('fail')
  fail(@MessageBody() { code }: { code: (typeof errorCodes)[number] }): never {
    throw new LiveError(code, `said ${code}`, { retryAfterMs: 5 });
  }

  @SubscribeMessage('crash')
  crash(@MessageBody() { secret }: { secret: string }): never {
    throw new Error(`database password, and ${secret}`);
  }

  @SubscribeMessage('refuse')
  refuse(): never {
    throw new ForbiddenException('Only for drivers');
  }
}

const clientOf = async (platform: Platform, setup: LiveAppOptions = {}): Promise<LiveTestClient> => {
  const { url } = await startLiveApp({ platform, ...setup });
  const client = await LiveTestClient.connect(url, { token: 'ann' });
  await client.next();
  return client;
};
const withHandlers: LiveAppOptions = { providers: [OpenTopics, HostHandlers] };

const violation = (message: string, more: object = {}) => ({
  type: 'error',
  code: 'protocol-violation',
  message,
  ...more,
});
const invalidEnvelope = violation('Invalid message envelope');
const nested = (levels: number): string => `${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}`;

describe.each(platforms)('2. Envelopes, on %s', (_name, platform) => {
  it('[L-2.1] an object in a text frame is accepted, unknown fields are ignored, and answers start with their type', async () => {
    const client = await clientOf(platform);
    const texts: string[] = [];
    client.socket.on('message', (data: Buffer) => texts.push(data.toString()));
    client.send({ id: 1, color: 'red', toString: 1, type: 'ping', constructor: { a: [null] } });
    await client.settle();
    expect(texts).toEqual(['{"type":"pong","id":1}', '{"type":"pong","id":"settle-1"}']);
  });

  it.each([
    // A line of a POST is never empty, and a POST without a body answers a ping [L-12.5].
    ...(onStreams ? [] : ['']),
    'hello',
    '{',
    '{"type":"ping"',
    "{'type':'ping'}",
    'null',
    '7',
    '"ping"',
    '[]',
    '[{"type":"ping"}]',
    '{}',
    '{"id":1}',
    '{"type":7}',
    '{"type":null}',
    '{"type":["ping"]}',
  ])('[L-2.2] the text %j gets an invalid-envelope error, and the connection stays open', async (text) => {
    const client = await clientOf(platform);
    client.send(text);
    expect(await client.settle()).toEqual([invalidEnvelope]);
  });

  itOnSockets('[L-2.3] a binary frame closes the connection', async () => {
    const client = await clientOf(platform);
    client.socket.send(Buffer.from('{"type":"ping"}'), { binary: true });
    expect((await client.closed).code).toBe(1003);
    expect(client.transcript).toHaveLength(1);
  });

  it.each([0, -7, 1.5, 9_007_199_254_740_991, '', 'a', 'é'.repeat(64), '"\\\u2028'])(
    '[L-2.4] answers carry the id %j unchanged',
    async (id) => {
      const client = await clientOf(platform);
      for (const type of ['ping', 'subscribe', 'nothing']) client.send({ type, id, topic: 'open/1' });
      expect((await client.settle()).map((answer) => answer['id'])).toEqual([id, id, id]);
    },
  );

  it.each(['null', 'true', '{}', '[]', '["a"]', `"${'a'.repeat(65)}"`, '1e999', '-1e999'])(
    '[L-2.4] the invalid id %s gets a violation without an id',
    async (id) => {
      const client = await clientOf(platform);
      client.send(`{"type":"ping","id":${id}}`);
      const message = '"id" must be a number or a string of at most 64 characters';
      expect(await client.settle()).toEqual([violation(message)]);
    },
  );

  it('[L-2.5] a message of an unhandled type gets not-implemented', async () => {
    const client = await clientOf(platform);
    for (const type of ['nothing', '', 'constructor', '__proto__', 'welcome'])
      client.send({ type, id: type });
    const error = { type: 'error', code: 'not-implemented', message: 'Nothing handles this type' };
    expect(await client.settle()).toEqual([
      { ...error, id: 'nothing' },
      { ...error, id: '' },
      { ...error, id: 'constructor' },
      { ...error, id: '__proto__' },
      { ...error, id: 'welcome' },
    ]);
  });

  it.each<[string, object, object]>([
    ['subscribe without a topic', { type: 'subscribe' }, {}],
    ['subscribe with an invalid topic', { type: 'subscribe', topic: 'a//b' }, {}],
    ['subscribe with a topic that is no string', { type: 'subscribe', topic: ['open/1'] }, {}],
    ['unsubscribe without a topic', { type: 'unsubscribe' }, {}],
    ['subscribe with an invalid since', { type: 'subscribe', topic: 'open/1', since: 7 }, { field: 'since' }],
    ['publish without a topic', { type: 'publish', data: 1 }, {}],
    ['publish without data', { type: 'publish', topic: 'open/1' }, { field: 'data' }],
    ['publish with an invalid key', { type: 'publish', topic: 'open/1', data: 1, key: 7 }, { field: 'key' }],
    ['publish with a null key', { type: 'publish', topic: 'open/1', data: 1, key: null }, { field: 'key' }],
  ])('[L-2.6] the violation for %s names the field', async (_what, message, expected) => {
    const { field = 'topic' } = expected as { field?: string };
    const client = await clientOf(platform);
    client.send({ ...message, id: 1 });
    const named = expect.stringMatching(new RegExp(`\\b${field}\\b`)) as unknown as string;
    const topic = field === 'topic' ? {} : { topic: 'open/1' };
    expect(await client.settle()).toEqual([violation(named, { id: 1, ...topic })]);
  });

  it('[L-2.7] JSON of 16 levels is accepted, and 17 levels get a violation', async () => {
    const client = await clientOf(platform);
    client.send(`{"type":"ping","id":1,"data":${nested(16)}}`);
    client.send(`{"type":"ping","id":2,"data":${nested(17)}}`);
    client.send(nested(30_000));
    const brackets = '['.repeat(40);
    client.send(`{"type":"ping","id":3,"data":"${brackets}\\"${brackets}"}`);
    const tooDeep = violation('JSON may be at most 16 levels deep');
    expect(await client.settle()).toEqual([
      { type: 'pong', id: 1 },
      tooDeep,
      tooDeep,
      { type: 'pong', id: 3 },
    ]);
  });

  it('[L-2.9] a ping message gets a pong, and the server sends no ping messages of its own', async () => {
    const client = await clientOf(platform, { options: { pingIntervalMs: 20 } });
    const pinged = new Promise((resolve) => client.socket.once('ping', resolve));
    client.send({ type: 'ping' });
    client.send({ type: 'ping', id: 'a' });
    await pinged;
    expect(await client.settle()).toEqual([{ type: 'pong' }, { type: 'pong', id: 'a' }]);
  });
});

describe.each(platforms)('2. Errors, on %s', (_name, platform) => {
  it.each(errorCodes)(
    '[L-2.10] the error code %s reaches the client, and the connection stays open',
    async (code) => {
      const client = await clientOf(platform, withHandlers);
      client.send({ type: 'fail', id: 1, code, topic: 'open/1' });
      const error = { type: 'error', id: 1, code, message: `said ${code}`, topic: 'open/1', retryAfterMs: 5 };
      expect(await client.settle()).toEqual([error]);
    },
  );

  it('[L-2.10] the message of a Nest exception reaches the client', async () => {
    const client = await clientOf(platform, withHandlers);
    client.send({ type: 'refuse', id: 1 });
    const error = { type: 'error', id: 1, code: 'forbidden', message: 'Only for drivers' };
    expect(await client.settle()).toEqual([error]);
  });

  it('[L-2.11] a handler that crashes is answered with a fixed text, and its error goes to the observers alone', async () => {
    const logged: unknown[] = [];
    const { url, app } = await startLiveApp({ platform, ...withHandlers });
    app.get(LiveObservers).add({ failed: (doing, error) => logged.push([doing, (error as Error).message]) });
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    await client.next();
    client.send({ type: 'crash', id: 1, secret: 'marmalade' });
    client.send({ type: 'echo', id: 2, value: 'still here' });
    expect(await client.settle()).toEqual([
      { type: 'error', id: 1, code: 'internal', message: 'The server failed to handle this message' },
      { type: 'echo', id: 2, data: 'still here' },
    ]);
    expect(logged).toEqual([['handling a message', 'database password, and marmalade']]);
  });

  it('[L-2.11] an error never repeats what the client sent', async () => {
    const client = await clientOf(platform, withHandlers);
    client.send('marmalade');
    client.send({ type: 'marmalade', marmalade: 'marmalade' });
    client.send({ type: 'crash', secret: 'marmalade' });
    client.send({ type: 'ping', id: { marmalade: 1 } });
    client.send({ type: 'subscribe', topic: 'marmalade marmalade' });
    client.send({ type: 'subscribe', topic: 'open/1', since: 'marmalade' });
    client.send({ type: 'publish', topic: 'open/1', data: 1, key: ['marmalade'] });
    const answers = await client.settle();
    expect(answers.map(({ type }) => type)).toEqual(Array<string>(7).fill('error'));
    expect(JSON.stringify(answers)).not.toContain('marmalade');
  });

  it('[L-2.12] the 101st violation within 10 seconds closes the connection with 4002', async () => {
    const client = await clientOf(platform);
    for (let i = 0; i < 100; i++) client.send(i % 2 === 0 ? 'no' : { type: 'subscribe', topic: '' });
    expect((await client.settle()).map(({ code }) => code)).toEqual(
      Array<string>(100).fill('protocol-violation'),
    );
    client.send('no');
    client.send({ type: 'ping', id: 'after' });
    expect((await client.closed).code).toBe(4002);
    expect(client.transcript.at(-1)).toEqual(invalidEnvelope);
    expect(client.transcript).toHaveLength(1 + 100 + 1 + 1);
  });

  it('[L-2.12] violations count within any window of 10 seconds, not in fixed windows', async () => {
    const clock = new ShiftedClock();
    clock.shiftMs = 60_000;
    const client = await clientOf(platform, { override: clock.install });
    const violate = async (count: number): Promise<number> => {
      for (let i = 0; i < count; i++) client.send('no');
      return (await client.settle()).length;
    };
    expect(await violate(1)).toBe(1);
    clock.shiftMs += 9_000;
    expect(await violate(99)).toBe(99);
    // The first violation has left the window by now, the other 99 have not.
    clock.shiftMs += 2_000;
    expect(await violate(1)).toBe(1);
    client.send('no');
    expect((await client.closed).code).toBe(4002);
  });

  it('[L-2.12] refusals and unknown types do not count as violations', async () => {
    const client = await clientOf(platform);
    for (let i = 0; i < 150; i++)
      client.send(i % 2 === 0 ? { type: 'x' } : { type: 'subscribe', topic: 'secret' });
    expect(await client.settle()).toHaveLength(150);
  });
});

describe.each(platforms)('2. Handlers of the application, on %s', (_name, platform) => {
  it.each<[string, object, object[]]>([
    ['a value as data', { id: 1, value: 7 }, [{ type: 'echo', id: 1, data: 7 }]],
    ['null as data', { id: 1, value: null }, [{ type: 'echo', id: 1, data: null }]],
    ['an array as data', { id: 1, value: [{ type: 'a' }] }, [{ type: 'echo', id: 1, data: [{ type: 'a' }] }]],
    ['an object without a type as data', { value: { a: 1 } }, [{ type: 'echo', data: { a: 1 } }]],
    ['an object with a type as it is', { value: { a: 1, type: 'b' } }, [{ type: 'b', a: 1 }]],
    [
      'an object with a type and the request id',
      { id: 1, value: { a: 1, type: 'b' } },
      [{ type: 'b', id: 1, a: 1 }],
    ],
    ['an object with a type and an id of its own', { value: { type: 'b', id: 9 } }, [{ type: 'b', id: 9 }]],
    ['the request id before one of its own', { id: 1, value: { type: 'b', id: 9 } }, [{ type: 'b', id: 1 }]],
    ['nothing for undefined', { id: 1 }, []],
  ])('[L-2.13] a handler sends %s', async (_what, message, answers) => {
    const client = await clientOf(platform, withHandlers);
    client.send({ type: 'echo', ...message });
    expect(await client.settle()).toEqual(answers);
  });
});

describeOnSockets.each(platforms)('2. Frames that no library sends, on %s', (_name, platform) => {
  it('[L-2.2] a text that is no JSON is answered in its place among valid messages', async () => {
    const { url } = await startLiveApp({ platform });
    const peer = await WirePeer.open(url);
    peer.send(texts({ type: 'ping', id: 1 }), frame(Opcode.text, 'no'), texts({ type: 'ping', id: 2 }));
    expect([await peer.message(), await peer.message(), await peer.message()]).toEqual([
      { type: 'pong', id: 1 },
      invalidEnvelope,
      { type: 'pong', id: 2 },
    ]);
  });

  it('[L-2.3] frames behind a binary frame are not handled', async () => {
    const { url } = await startLiveApp({ platform });
    const peer = await WirePeer.open(url);
    peer.send(frame(Opcode.binary, '{"type":"ping"}'), texts({ type: 'ping', id: 'late' }));
    expect(closeOf(await peer.frame())).toEqual({ code: 1003, reason: 'text frames only' });
  });
});
