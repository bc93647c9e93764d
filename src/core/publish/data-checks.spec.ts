import { describe, expect, it } from 'vitest';
import { TestLive } from '../../testing/test-live.js';
import { JsonText } from '../frame/json-text.js';
import type { SchemaCheck } from '../ports/contract.js';
import type { TopicRules } from '../ports/policy.js';

/** Accepts `{ n: number }`, and makes `{ n: n + 1 }` of it. */
const increments: SchemaCheck = (value) => {
  const { n } = (value ?? {}) as { n?: unknown };
  return typeof n === 'number'
    ? { value: { n: n + 1 } }
    : { issues: [{ message: `${String(n)} is wrong`, path: ['n'] }] };
};
const later: SchemaCheck = (value) => Promise.resolve(increments(value));
const throws: SchemaCheck = () => {
  throw new Error('secret');
};

/** A topic with these rules, a subscriber, and what is logged. */
async function world(rules: Partial<TopicRules>) {
  const failures: unknown[] = [];
  const live = new TestLive({
    limits: { authorizationTimeoutMs: 50 },
    rulesFor: () => rules,
    observer: { failed: (doing, error) => failures.push([doing, String(error)]) },
  });
  const [reader, writer] = [live.connect(), live.connect()];
  await reader.send({ type: 'subscribe', topic: 'a' });
  reader.received();
  const events = () => reader.received().map((event) => (event as { data: unknown }).data);
  const answer = async (message: object): Promise<unknown> => {
    await writer.send({ type: 'publish', topic: 'a', ...message });
    live.clock.advance(60);
    await live.clock.settle();
    return writer.received().at(-1);
  };
  return { live, events, answer, failures, reader };
}

describe.each([
  ['at once', increments],
  ['later', later],
])('A check that answers %s', (_name, check) => {
  it('[L-4.13] subscribers receive what the check makes of the data of the application', async () => {
    const { live, events } = await world({ checkData: check });
    await live.publish('a', { n: 1 });
    await live.publish('a', JsonText.parse('{"n":7,"n":2}'));
    expect(events()).toEqual([{ n: 2 }, { n: 3 }]);
  });

  it('[L-4.13] wrong data of the application is refused with its path, and reaches nobody', async () => {
    const { live, events } = await world({ checkData: check });
    for (const data of [{ n: 'secret' }, null, JsonText.dangerouslyTrust('{"n":"secret"}')])
      await expect(live.publish('a', data)).rejects.toMatchObject({
        code: 'validation-failed',
        message: '"data.n" does not match the topic\'s schema',
        details: {},
      });
    await expect(live.publish('a', JsonText.dangerouslyTrust('{'))).rejects.toMatchObject({
      code: 'validation-failed',
    });
    expect([events(), live.stats().publicationsTotal]).toEqual([[], 0]);
  });

  it('[L-4.13] a publication of a client is checked by its own check', async () => {
    const { events, answer } = await world({ checkData: throws, checkClientData: check });
    expect(await answer({ id: 1, data: { n: 1 } })).toMatchObject({ type: 'published', id: 1 });
    expect(await answer({ id: 2, data: { n: 'secret' } })).toEqual({
      type: 'error',
      id: 2,
      code: 'validation-failed',
      message: '"data.n" does not match the topic\'s schema',
      topic: 'a',
    });
    expect(events()).toEqual([{ n: 2 }]);
  });

  it('[L-4.13] a removal is not checked', async () => {
    const { live, answer } = await world({ checkData: check, checkClientData: check });
    const key = 'v1';
    expect(await answer({ key, remove: true })).toMatchObject({ type: 'published' });
    expect(await live.live.publish('a', undefined, { key, remove: true })).toMatchObject({ offset: 2 });
  });
});

/** Accepts keys such as `v1`, and makes `V1` of them. */
const capitals: SchemaCheck = (value) =>
  typeof value === 'string' && /^v\d+$/.test(value)
    ? { value: value.toUpperCase() }
    : { issues: [{ message: `${String(value)} is wrong` }] };
const wrongKey = { code: 'validation-failed', message: '"key" does not match the topic\'s schema' };

describe('A check of keys', () => {
  it('[L-4.17] publications and removals have what the check makes of their key', async () => {
    const { live, answer, reader } = await world({ checkKey: capitals, checkClientKey: capitals });
    await live.live.publish('a', 1, { key: 'v1' });
    await live.live.publish('a', undefined, { key: 'v2', remove: true });
    await answer({ data: 1, key: 'v3' });
    await answer({ key: 'v4', remove: true });
    const events = reader.received() as { key: string; removed?: true }[];
    expect(events.map(({ key, removed = false }) => [key, removed])).toEqual([
      ['V1', false],
      ['V2', true],
      ['V3', false],
      ['V4', true],
    ]);
  });

  it.each([{ key: 'secret' }, { key: 'secret', remove: true as const }, {}])(
    '[L-4.17] a wrong or missing key is refused with its path, and reaches nobody: %j',
    async (options) => {
      const { live, events, answer } = await world({ checkKey: capitals, checkClientKey: capitals });
      const data = 'remove' in options ? undefined : 1;
      await expect(live.live.publish('a', data, options)).rejects.toMatchObject({ ...wrongKey, details: {} });
      const refusal = await answer({ id: 1, data, ...options });
      expect(refusal).toEqual({ type: 'error', id: 1, topic: 'a', ...wrongKey });
      expect([events(), live.stats().publicationsTotal]).toEqual([[], 0]);
    },
  );

  it('[L-4.17] a check may accept that there is no key, but a key cannot become none', async () => {
    const none: SchemaCheck = () => ({ value: undefined });
    const { live, answer } = await world({ checkKey: none, checkClientKey: none });
    expect(await live.publish('a', 1)).toMatchObject({ offset: 1 });
    expect(await answer({ data: 1 })).toMatchObject({ type: 'published', offset: 2 });
    await expect(live.live.publish('a', 1, { key: 'a' })).rejects.toMatchObject(wrongKey);
    for (const remove of [{ data: 1 }, { remove: true }])
      expect(await answer({ key: 'a', ...remove })).toMatchObject(wrongKey);
  });

  it.each(['', 'x'.repeat(129), 7, null])(
    '[L-4.17] a check that makes no key is refused: %j',
    async (value) => {
      const check: SchemaCheck = () => ({ value });
      const { live } = await world({ checkKey: check });
      await expect(live.live.publish('a', 1, { key: 'a' })).rejects.toMatchObject(wrongKey);
    },
  );

  it('[L-4.17] a check of keys that throws or answers later is logged and answered with internal', async () => {
    for (const check of [throws, async () => throws(1)]) {
      const { live, answer, failures } = await world({ checkKey: check, checkClientKey: check });
      await expect(live.live.publish('a', 1, { key: 'a' })).rejects.toMatchObject({ code: 'internal' });
      expect(await answer({ data: 1, key: 'a' })).toMatchObject({ code: 'internal' });
      const failure = ['checking published data', 'Error: The schema of a threw'];
      expect(failures).toEqual([failure, failure]);
    }
  });

  it('[L-4.17] a client without the right to publish learns nothing about the keys', async () => {
    const { answer } = await world({ canPublish: () => false, checkClientKey: capitals });
    expect(await answer({ data: 1, key: 'x' })).toMatchObject({ code: 'forbidden' });
  });
});

describe('A check of published data', () => {
  it('[L-4.13] a client without the right to publish learns nothing about the schema', async () => {
    let calls = 0;
    const counting: SchemaCheck = (value) => ({ value, calls: (calls += 1) });
    const { answer } = await world({ canPublish: () => false, checkClientData: counting });
    expect(await answer({ data: 1 })).toMatchObject({ code: 'forbidden' });
    expect(calls).toBe(0);
  });

  it('[L-4.13] one publication is checked once, however many subscribers there are', async () => {
    let calls = 0;
    const { live } = await world({ checkData: (value) => ({ value, calls: (calls += 1) }) });
    for (let i = 0; i < 10; i++) await live.connect().send({ type: 'subscribe', topic: 'a' });
    await live.publish('a', 1);
    expect(calls).toBe(1);
  });

  it('[L-4.14] a check that throws is logged and answered with internal', async () => {
    const { live, answer, failures } = await world({ checkData: throws, checkClientData: throws });
    await expect(live.publish('a', 1)).rejects.toMatchObject({ code: 'internal' });
    const reply = await answer({ data: 1 });
    expect(reply).toMatchObject({ code: 'internal' });
    expect(JSON.stringify(reply)).not.toContain('secret');
    const failure = ['checking published data', 'Error: The schema of a threw'];
    expect(failures).toEqual([failure, failure]);
  });

  it('[L-4.14] a check that is late is answered with unavailable, and ends', async () => {
    const never: SchemaCheck = () => new Promise(() => {});
    const { live, answer, failures } = await world({ checkData: never, checkClientData: never });
    const published = live.live.publish('a', 1).catch(({ code }: { code: string }) => code);
    expect(await answer({ data: 1 })).toMatchObject({ code: 'unavailable', retryAfterMs: 1_000 });
    expect(await published).toBe('unavailable');
    expect(failures).toContainEqual([
      'checking published data',
      'Error: The schema of a did not answer within 50 ms',
    ]);
  });

  it('[L-4.14] publications keep their order while earlier ones are checked', async () => {
    const ends: (() => void)[] = [];
    const slow: SchemaCheck = (value) =>
      value === 'now' ? { value } : new Promise((resolve) => ends.push(() => resolve({ value })));
    const { live, events } = await world({ checkData: slow });
    const sent = ['one', 'two', 'now'].map((data) => live.live.publish('a', data));
    const elsewhere = live.live.publish('b', 'now');
    ends[1]?.();
    await live.clock.settle();
    expect([events(), (await elsewhere).offset]).toEqual([[], 1]);
    ends[0]?.();
    await live.clock.settle();
    expect([events(), (await Promise.all(sent)).map(({ offset }) => offset)]).toEqual([
      ['one', 'two', 'now'],
      [1, 2, 3],
    ]);
  });

  it("[L-9.15] a check of a client's data that does not settle counts as an open call", async () => {
    const never: SchemaCheck = () => new Promise(() => {});
    const { answer } = await world({ checkClientData: never });
    const codes = [];
    for (let i = 0; i < 17; i++) codes.push(((await answer({ data: 1 })) as { code: string }).code);
    expect(codes).toEqual([...Array<string>(16).fill('unavailable'), 'rate-limited']);
  });
});
