import { describe, expect, it } from 'vitest';
import { LiveTopic, type Position } from '../src/index.js';
import { LiveTestClient } from '../src/testing/index.js';
import { type LiveApp, OpenTopics, type Platform, platforms, startLiveApp } from './support/live-app.js';
import { ShiftedClock } from './support/shifted-clock.js';

const everybody = { canSubscribe: (): boolean => true };

/** Limits above those of the protocol, so that tests of `kept/*` meet the protocol's own. */
@LiveTopic('kept/*', { history: { size: 1_000, ttlMs: 60_000, maxBytes: 100_000_000 } })
class KeptTopics {
  canSubscribe = everybody.canSubscribe;
}

@LiveTopic('few/*', { history: { size: 3 } })
class FewTopics {
  canSubscribe = everybody.canSubscribe;
}

@LiveTopic('small/*', { history: { maxBytes: 100 } })
class SmallTopics {
  canSubscribe = everybody.canSubscribe;
}

@LiveTopic('state/*', { history: { size: 3 } })
class StateTopics {
  canSubscribe = everybody.canSubscribe;
  snapshots = 0;

  snapshot(): unknown {
    return { snapshot: (this.snapshots += 1) };
  }
}

/** Readable until the test says otherwise. */
@LiveTopic('revoked/*', { history: { size: 10 } })
class RevokedTopics {
  static allowed = true;

  canSubscribe(): boolean {
    return RevokedTopics.allowed;
  }
}

const providers = [OpenTopics, KeptTopics, FewTopics, SmallTopics, StateTopics, RevokedTopics];

async function start(platform: Platform, clock = new ShiftedClock()) {
  const app = await startLiveApp({ platform, providers, override: clock.install });
  const client = await LiveTestClient.connect(app.url, { token: 'ann' });
  await client.next();
  return { ...app, client, clock };
}

/** Publishes 1, 2, … `count`, and returns the position after each. */
async function publishMany(live: LiveApp['live'], topic: string, count: number): Promise<Position[]> {
  const positions = [];
  for (let i = 1; i <= count; i++) positions.push(await live.publish(topic, i));
  return positions;
}

const epoch = expect.any(String) as unknown as string;
const event = (topic: string, offset: number, data: unknown = offset) => ({
  type: 'event',
  topic,
  offset,
  data,
});
const events = (topic: string, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => event(topic, from + i));
const subscribed = (topic: string, position: Position, recovered: boolean, more: object = {}) => ({
  type: 'subscribed',
  topic,
  ...position,
  recovered,
  ...more,
});

describe.each(platforms)('5. Histories, on %s', (_name, platform) => {
  it('[L-5.1] a topic without a history recovers only if nothing was published since', async () => {
    const { client, live } = await start(platform);
    const since = await live.publish('open/1', 1);
    client.send({ type: 'subscribe', topic: 'open/1', since });
    expect(await client.settle()).toEqual([subscribed('open/1', since, true)]);
    const top = await live.publish('open/1', 2);
    await client.settle();
    client.send({ type: 'subscribe', topic: 'open/1', since });
    expect(await client.settle()).toEqual([subscribed('open/1', top, false)]);
  });

  it('[L-5.1] a subscriber recovers from before the first publication', async () => {
    const { client, live } = await start(platform);
    client.send({ type: 'subscribe', id: 1, topic: 'kept/1' });
    const [first] = await client.settle();
    const since = { epoch: first?.['epoch'] as string, offset: 0 };
    client.send({ type: 'unsubscribe', topic: 'kept/1' });
    await client.settle();
    await publishMany(live, 'kept/1', 2);
    client.send({ type: 'subscribe', topic: 'kept/1', since });
    expect(await client.settle()).toEqual([subscribed('kept/1', since, true), ...events('kept/1', 1, 2)]);
  });

  it('[L-5.1] a history keeps no more publications than its size', async () => {
    const { client, live } = await start(platform);
    const [one, two, , , top] = (await publishMany(live, 'few/1', 5)) as [
      Position,
      Position,
      Position,
      Position,
      Position,
    ];
    client.send({ type: 'subscribe', topic: 'few/1', since: two });
    client.send({ type: 'subscribe', topic: 'few/1', since: one });
    expect(await client.settle()).toEqual([
      subscribed('few/1', two, true),
      ...events('few/1', 3, 5),
      subscribed('few/1', top, false),
    ]);
  });

  it('[L-5.1] a history keeps nothing longer than its TTL', async () => {
    const { client, live, clock } = await start(platform);
    const since = await live.publish('kept/1', 1);
    await live.publish('kept/1', 2);
    clock.shiftMs += 59_000;
    client.send({ type: 'subscribe', topic: 'kept/1', since });
    expect(await client.settle()).toEqual([subscribed('kept/1', since, true), event('kept/1', 2)]);
    clock.shiftMs += 2_000;
    client.send({ type: 'subscribe', topic: 'kept/1', since });
    expect(await client.settle()).toEqual([subscribed('kept/1', { epoch, offset: 2 }, false)]);
  });

  it.each([
    ['plain', 'x'.repeat(43)],
    ['in characters of three bytes', '€'.repeat(15)],
  ])('[L-5.1] a history keeps no more than its bytes, %s', async (_what, data) => {
    const { client, live } = await start(platform);
    const since = await live.publish('small/1', 'first');
    for (let i = 0; i < 2; i++) await live.publish('small/1', data);
    client.send({ type: 'subscribe', topic: 'small/1', since });
    const both = [event('small/1', 2, data), event('small/1', 3, data)];
    expect(await client.settle()).toEqual([subscribed('small/1', since, true), ...both]);
    await live.publish('small/1', data);
    await client.settle();
    client.send({ type: 'subscribe', topic: 'small/1', since });
    expect(await client.settle()).toEqual([subscribed('small/1', { epoch, offset: 4 }, false)]);
  });
});

describe.each(platforms)('5. Recovery, on %s', (_name, platform) => {
  it('[L-5.2] a recovering subscribe gets its own offset, then exactly the missed publications, then live ones', async () => {
    const { client, live } = await start(platform);
    const [, since] = (await publishMany(live, 'kept/1', 2)) as [Position, Position];
    await live.publish('kept/1', 'with a key', { key: 'v1' });
    await live.publish('kept/1', null);
    client.send({ type: 'subscribe', id: 's', topic: 'kept/1', since });
    await client.settle();
    await live.publish('kept/1', 'live');
    await client.settle();
    expect(client.transcript.filter(({ type }) => type !== 'pong').slice(1)).toEqual([
      subscribed('kept/1', since, true, { id: 's' }),
      { ...event('kept/1', 3, 'with a key'), key: 'v1' },
      event('kept/1', 4, null),
      event('kept/1', 5, 'live'),
    ]);
  });

  it('[L-5.2] a client recovers publications that it missed while its connection was cut', async () => {
    const { client, live, url } = await start(platform);
    client.send({ type: 'subscribe', topic: 'kept/1' });
    await client.settle();
    await publishMany(live, 'kept/1', 2);
    const last = (await client.settle()).at(-1);
    const since = { epoch: client.transcript[1]?.['epoch'] as string, offset: last?.['offset'] as number };
    client.socket.terminate();
    await client.closed;
    await live.publish('kept/1', 3);
    const again = await LiveTestClient.connect(url, { token: 'ann' });
    await again.next();
    again.send({ type: 'subscribe', topic: 'kept/1', since });
    expect(await again.settle()).toEqual([subscribed('kept/1', since, true), event('kept/1', 3)]);
  });

  it('[L-5.3] no missed publication is sent if one of them is gone', async () => {
    const { client, live } = await start(platform);
    const [since] = (await publishMany(live, 'few/1', 5)) as [Position];
    client.send({ type: 'subscribe', id: 1, topic: 'few/1', since });
    await client.settle();
    await live.publish('few/1', 6);
    await client.settle();
    expect(client.transcript.filter(({ type }) => type !== 'pong').slice(1)).toEqual([
      subscribed('few/1', { ...since, offset: 5 }, false, { id: 1 }),
      event('few/1', 6),
    ]);
  });

  it('[L-5.3] an unrecoverable subscribe gets the snapshot, and a recovered one does not', async () => {
    const { client, live } = await start(platform);
    const [gone, kept] = (await publishMany(live, 'state/1', 5)) as [Position, Position];
    client.send({ type: 'subscribe', id: 1, topic: 'state/1', since: gone });
    client.send({ type: 'subscribe', id: 2, topic: 'state/1', since: kept });
    const top = { ...gone, offset: 5 };
    expect(await client.settle()).toEqual([
      subscribed('state/1', top, false, { id: 1, snapshot: { snapshot: 1 } }),
      subscribed('state/1', kept, true, { id: 2 }),
      ...events('state/1', 3, 5),
    ]);
  });

  it('[L-5.4] a subscribe recovers 300 publications, but not 301', async () => {
    const { client, live } = await start(platform);
    const [one, two] = (await publishMany(live, 'kept/1', 302)) as [Position, Position];
    client.send({ type: 'subscribe', topic: 'kept/1', since: two });
    client.send({ type: 'subscribe', topic: 'kept/1', since: one });
    expect(await client.settle()).toEqual([
      subscribed('kept/1', two, true),
      ...events('kept/1', 3, 302),
      subscribed('kept/1', { ...one, offset: 302 }, false),
    ]);
  });

  it.each([
    ['plain', 'x'.repeat(524_286), 'x'.repeat(524_287)],
    ['in characters of three bytes', '€'.repeat(174_762), '€'.repeat(174_763)],
  ])('[L-5.4] a subscribe recovers 1 MiB, and not more, %s', async (_what, half, more) => {
    const { client, live } = await start(platform);
    const since = await live.publish('kept/1', 0);
    for (const data of [half, half]) await live.publish('kept/1', data);
    client.send({ type: 'subscribe', topic: 'kept/1', since });
    const answers = async () => (await client.settle()).map(({ type, recovered }) => [type, recovered]);
    const event = ['event', undefined];
    expect(await answers()).toEqual([['subscribed', true], event, event]);
    client.send({ type: 'unsubscribe', topic: 'kept/1' });
    await client.settle();
    await live.publish('kept/1', more);
    client.send({ type: 'subscribe', topic: 'kept/1', since: { ...since, offset: 2 } });
    expect(await answers()).toEqual([['subscribed', false]]);
  });
});

describe.each(platforms)('5. Positions, on %s', (_name, platform) => {
  it.each([
    null,
    7,
    'a',
    [],
    {},
    { epoch: 'e' },
    { offset: 1 },
    { epoch: 7, offset: 1 },
    { epoch: 'e', offset: '1' },
    { epoch: 'e', offset: -1 },
    { epoch: 'e', offset: 1.5 },
    { epoch: 'e', offset: null },
    { epoch: 'e', offset: 2 ** 53 },
  ])('[L-5.5] the invalid position %j gets a violation', async (since) => {
    const { client } = await start(platform);
    client.send({ type: 'subscribe', id: 1, topic: 'kept/1', since });
    const message = expect.stringContaining('since') as unknown as string;
    expect(await client.settle()).toEqual([
      { type: 'error', id: 1, code: 'protocol-violation', message, topic: 'kept/1' },
    ]);
  });

  it('[L-5.5] a position that the stream never had is unrecoverable', async () => {
    const { client, live } = await start(platform);
    const top = await live.publish('kept/1', 1);
    const positions = [
      { ...top, offset: 2 },
      { ...top, offset: Number.MAX_SAFE_INTEGER },
      { epoch: 'another', offset: 1 },
      { epoch: 'another', offset: 0 },
    ];
    for (const since of positions) client.send({ type: 'subscribe', topic: 'kept/1', since });
    expect(await client.settle()).toEqual(positions.map(() => subscribed('kept/1', top, false)));
  });

  it('[L-5.5] a position of another topic is unrecoverable', async () => {
    const { client, live } = await start(platform);
    const since = await live.publish('kept/2', 'other');
    const [top] = (await publishMany(live, 'kept/1', 1)) as [Position];
    client.send({ type: 'subscribe', topic: 'kept/1', since });
    expect(await client.settle()).toEqual([subscribed('kept/1', top, false)]);
  });

  it('[L-5.6] a recovering subscribe is authorized like the first one', async () => {
    const { client, live } = await start(platform);
    RevokedTopics.allowed = true;
    client.send({ type: 'subscribe', topic: 'revoked/1' });
    await client.settle();
    const since = await live.publish('revoked/1', 1);
    await client.settle();
    RevokedTopics.allowed = false;
    await live.publish('revoked/1', 2);
    await client.settle();
    client.send({ type: 'subscribe', topic: 'revoked/1', since });
    const message = 'You may not do this with this topic';
    expect(await client.settle()).toEqual([
      { type: 'error', code: 'forbidden', message, topic: 'revoked/1' },
    ]);
  });
});
