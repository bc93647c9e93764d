import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TestCluster, type TestInstance } from '../../../test/support/test-cluster.js';
import { maxSignalBytes } from '../ports/broker.js';
import { readSignal } from './read-signal.js';
import { signalText, type SignalBody } from './signal.js';

const bodies: readonly SignalBody[] = [
  { type: 'hello', instanceId: 'a', seq: 7 },
  { type: 'bye' },
  { type: 'do', id: 1, ageMs: 0, command: { verb: 'count', topic: 't' } },
  {
    type: 'do',
    id: 2,
    ageMs: 70,
    to: ['k'],
    command: { verb: 'disconnect-user', user: 'ann', code: 4503, reason: 'r' },
  },
  { type: 'do', id: 3, ageMs: 0, command: { verb: 'unsubscribe-user', user: 'ann', topic: 't', reason: '' } },
  { type: 'do', id: 4, ageMs: 0, command: { verb: 'reauthorize', user: 'ann' } },
  { type: 'do', id: 5, ageMs: 0, command: { verb: 'reauthorize', topic: 't' } },
  { type: 'done', to: 'k', id: 1, instanceId: 'a', count: 3 },
  {
    type: 'changes',
    seq: 8,
    changes: [
      ['t', 'ann', 2, '{"name":"Ann"}'],
      ['t', 'bob', -1, '{}'],
    ],
  },
  { type: 'ask', to: 'k' },
  { type: 'state', seq: 8, part: 0, parts: 1, members: [['t', 'ann', 0, '{}']] },
];

describe('signals', () => {
  it.each(bodies)('a signal is read as it was sent: %j', (body) => {
    expect(readSignal(signalText('key', body))).toEqual({ ...body, from: 'key' });
  });

  it('unknown fields of a signal, as from a newer instance, are ignored', () => {
    const text = JSON.stringify({ v: 1, from: 'key', type: 'bye', why: 'x', __proto__: { a: 1 } });
    expect(readSignal(text)).toEqual({ type: 'bye', from: 'key' });
  });

  it.each([
    ['of another version', { v: 2, from: 'k', type: 'bye' }],
    ['of no type', { v: 1, from: 'k' }],
    ['of a type that objects inherit', { v: 1, from: 'k', type: 'constructor' }],
    ['without a sender', { v: 1, type: 'bye' }],
    ['with a sender that is too long', { v: 1, from: 'k'.repeat(65), type: 'bye' }],
    ['with a negative count', { v: 1, from: 'k', type: 'done', to: 'x', id: 1, instanceId: 'a', count: -1 }],
    ['with a fraction', { v: 1, from: 'k', type: 'hello', instanceId: 'a', seq: 0.5 }],
    ['with an unknown command', { v: 1, from: 'k', type: 'do', id: 1, ageMs: 0, command: { verb: 'stop' } }],
    ['with no command', { v: 1, from: 'k', type: 'do', id: 1, ageMs: 0, command: null }],
    [
      'with a close code of the transport',
      command({ verb: 'disconnect-user', user: 'a', code: 1006, reason: '' }),
    ],
    ['with no target', command({ verb: 'reauthorize' })],
    ['with a wrong topic', command({ verb: 'count', topic: 'a b' })],
    [
      'with a part that is not there',
      { v: 1, from: 'k', type: 'state', seq: 1, part: 1, parts: 1, members: [] },
    ],
  ])('a signal is refused %s', (_why, signal) => {
    expect(readSignal(JSON.stringify(signal))).toBeUndefined();
  });

  it.each<[string, unknown]>([
    ['whose fields are not an object', ['t', 'a', 1, '[]']],
    ['whose fields are not text', ['t', 'a', 1, {}]],
    ['whose fields are too long', ['t', 'a', 1, JSON.stringify({ a: 'x'.repeat(1_024) })]],
    ['whose fields are too deep', ['t', 'a', 1, `${'{"a":'.repeat(17)}1${'}'.repeat(17)}`]],
    ['whose id is too long', ['t', 'x'.repeat(1_025), 1, '{}']],
    ['without an id', ['t', null, 1, '{}']],
    ['with an invalid topic', ['a//b', 'a', 1, '{}']],
    ['with a count below -1', ['t', 'a', -2, '{}']],
    ['with an extra element', ['t', 'a', 1, '{}', 1]],
    ['that is not an array', 'ann'],
  ])('[L-11.8] a member %s is dropped alone, and counted', (_why, wrong) => {
    const [ann, bob] = [['t', 'ann', 1, '{}'] as const, ['t', 'bob', 2, '{"a":1}'] as const];
    let left = 0;
    const count = (): void => void (left += 1);
    expect(readSignal(JSON.stringify(changes(ann, wrong, bob)), count)).toEqual({
      type: 'changes',
      from: 'k',
      seq: 1,
      changes: [ann, bob],
    });
    const state = { v: 1, from: 'k', type: 'state', seq: 1, part: 0, parts: 1, members: [wrong, bob] };
    expect(readSignal(JSON.stringify(state), count)).toMatchObject({ members: [bob] });
    expect(left).toBe(2);
  });

  it('a signal that is too long or too deeply nested is refused', () => {
    const long = JSON.stringify({ v: 1, from: 'k', type: 'bye', x: 'x'.repeat(maxSignalBytes) });
    expect(readSignal(long)).toBeUndefined();
    expect(readSignal('['.repeat(100_000))).toBeUndefined();
    expect(
      readSignal(`{"v":1,"from":"k","type":"bye","x":${'['.repeat(64)}${']'.repeat(64)}}`),
    ).toBeUndefined();
  });

  it('forged signals are counted and never throw', () => {
    const texts = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .constantFrom(...bodies)
        .chain((body) =>
          fc
            .tuple(fc.constantFrom(...Object.keys(body)), fc.jsonValue())
            .map(([field, value]) => signalText('key', { ...body, [field]: value } as SignalBody)),
        ),
      fc.constantFrom(...bodies).chain((body) => {
        const text = signalText('key', body);
        return fc.nat(text.length).map((length) => text.slice(0, length));
      }),
    );
    const cluster = new TestCluster();
    const { test } = cluster.add('a');
    fc.assert(
      fc.property(texts, (text) => {
        const before = test.live.cluster.totals.rejected;
        cluster.bus.shout(text);
        expect(test.live.cluster.totals.rejected - before).toBe(readSignal(text) === undefined ? 1 : 0);
      }),
      { numRuns: 5_000 },
    );
  });

  it('a thousand forged instances do not fill the memory', async () => {
    const cluster = new TestCluster();
    const [a] = (await cluster.start('a')) as [TestInstance];
    for (let i = 0; i < 3_000; i++)
      cluster.bus.shout(signalText(`forged-${String(i)}`, { type: 'hello', instanceId: 'x', seq: 9 }));
    expect(a.test.live.cluster.instances.size).toBe(1_024);
  });
});

function command(command: object): object {
  return { v: 1, from: 'k', type: 'do', id: 1, ageMs: 0, command };
}

function changes(...list: unknown[]): object {
  return { v: 1, from: 'k', type: 'changes', seq: 1, changes: list };
}
