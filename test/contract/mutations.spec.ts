import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonText, type KeySchema } from '../../src/index.js';
import { TestLive } from '../../src/testing/index.js';
import { TopicPattern } from '../../src/nest/topics/topic-pattern.js';
import { contractOf } from '../../src/nest/topics/topic-contract.js';
import { TopicPolicy } from '../../src/nest/topics/topic.policy.js';
import { thorough } from '../support/thorough.js';
import { mutate, mutation, vehicle } from './mutations.js';
import { isVehicle, isVehicleKey, keySchemas, vehicleSchemas } from './vehicle.js';

const publications = thorough ? 10_000 : 1_000;

/** A topic of vehicles, and everything that reached its broker. */
async function world(library: string, key?: KeySchema) {
  const contract = await contractOf({ data: vehicleSchemas[library], key }, 'always', 'Vehicles');
  const policy = new TopicPolicy();
  const provider = { canSubscribe: () => true, canPublish: () => true };
  policy.declare([
    { pattern: new TopicPattern('fleet'), provider, history: undefined, delivery: {}, contract },
  ]);
  const reached: string[] = [];
  const keys: unknown[] = [];
  const live = new TestLive({
    rulesFor: (topic) => policy.rulesFor(topic),
    broker: (memory) => {
      const { publish } = memory;
      memory.publish = (topic, data, options) => {
        reached.push(data);
        keys.push(options.key);
        return publish.call(memory, topic, data, options);
      };
      return memory;
    },
  });
  return { live, reached, keys, peer: live.connect() };
}

/** The text with one field twice: other parsers may take the one that was not checked. */
const doubled = (text: string, field: string): string =>
  text.startsWith('{"') ? `{${field},${text.slice(1)}` : text;

describe.each(Object.keys(vehicleSchemas))('Mutated publications, with a schema of %s', (library) => {
  it('[L-4.13] publications of a wrong shape never reach the broker, and those of a right shape always do', async () => {
    const { live, reached, peer } = await world(library);
    const counts = { right: 0, wrong: 0 };
    const routes = {
      application: (text: string) => live.publish('fleet', JSON.parse(text)),
      text: (text: string) => live.publish('fleet', JsonText.parse(text)),
      client: async (text: string) => {
        await peer.send(`{"type":"publish","topic":"fleet","data":${text}}`);
        const [answer] = peer.received() as [{ code?: string }];
        if (answer.code !== undefined) throw Object.assign(new Error(), answer);
      },
    };
    const field = fc.constantFrom(
      '"lat":"x"',
      '"lat":1',
      '"__proto__":{"lat":1}',
      '"lon":1e400',
      '"lon":1E2',
    );
    const text = fc.oneof(
      fc
        .tuple(vehicle, fc.array(mutation, { maxLength: 2 }))
        .map(([value, changes]) => JSON.stringify(changes.reduce<unknown>(mutate, value))),
      fc.tuple(vehicle, field).map(([value, double]) => doubled(JSON.stringify(value), double)),
      fc.tuple(vehicle, field).map(([value, last]) => `${JSON.stringify(value).slice(0, -1)},${last}}`),
    );
    const route = fc.constantFrom(...(Object.keys(routes) as (keyof typeof routes)[]));
    await fc.assert(
      fc.asyncProperty(text, route, async (published, by) => {
        const isRight = isVehicle(JSON.parse(published));
        reached.length = 0;
        const outcome = await routes[by](published).then(
          () => 'published',
          ({ code }: { code: string }) => code,
        );
        counts[isRight ? 'right' : 'wrong'] += 1;
        expect(outcome).toBe(isRight ? 'published' : 'validation-failed');
        expect(reached.map((data) => isVehicle(JSON.parse(data)))).toEqual(isRight ? [true] : []);
      }),
      { numRuns: publications },
    );
    expect(Math.min(counts.right, counts.wrong)).toBeGreaterThan(publications / 5);
  }, 120_000);

  it('[L-4.17] publications and removals with a wrong key never reach the broker, and those with a right one always do', async () => {
    const { live, keys } = await world(library, keySchemas[library]);
    const counts = { right: 0, wrong: 0 };
    let peer = live.connect();
    const [data] = fc.sample(vehicle, { numRuns: 1, seed: 1 });
    const key = fc.oneof(
      fc.integer().map((n) => `v${String(n)}`),
      fc.string({ unit: fc.constantFrom('v', '1', '-', ' ', '\n', 'V', '\u0661'), maxLength: 4 }),
      fc.constantFrom(undefined, `v${'1'.repeat(127)}`, `v${'1'.repeat(128)}`, 'v1\n', 'v1.5', 'v1e3'),
    );
    await fc.assert(
      fc.asyncProperty(key, fc.boolean(), fc.boolean(), async (published, isClient, isRemoval) => {
        const isRight = isVehicleKey(published);
        keys.length = 0;
        const message = isRemoval ? { remove: true as const } : {};
        const options = { ...message, ...(published !== undefined && { key: published }) };
        if (isClient) {
          // A key that is no key is a violation, and a peer with many of them is closed.
          if (counts.wrong % 50 === 0) peer = live.connect();
          const content = isRemoval ? {} : { data };
          await peer.send({ type: 'publish', topic: 'fleet', ...content, ...options });
          expect(peer.received()).toMatchObject([{ type: isRight ? 'published' : 'error' }]);
        } else {
          const outcome = live.live.publish('fleet', isRemoval ? undefined : data, options);
          await (isRight ? outcome : expect(outcome).rejects.toMatchObject({ code: 'validation-failed' }));
        }
        counts[isRight ? 'right' : 'wrong'] += 1;
        expect(keys).toEqual(isRight ? [published] : []);
      }),
      { numRuns: publications },
    );
    expect(Math.min(counts.right, counts.wrong)).toBeGreaterThan(publications / 5);
  }, 120_000);
});
