import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonText } from '../../src/index.js';
import { TestLive } from '../../src/testing/index.js';
import { TopicPattern } from '../../src/nest/topics/topic-pattern.js';
import { contractOf } from '../../src/nest/topics/topic-contract.js';
import { TopicPolicy } from '../../src/nest/topics/topic.policy.js';
import { thorough } from '../support/thorough.js';
import { mutate, mutation, vehicle } from './mutations.js';
import { isVehicle, vehicleSchemas } from './vehicle.js';

const publications = thorough ? 10_000 : 1_000;

/** A topic of vehicles, and everything that reached its broker. */
async function world(library: string) {
  const contract = await contractOf({ data: vehicleSchemas[library] }, 'always', 'Vehicles');
  const policy = new TopicPolicy();
  const provider = { canSubscribe: () => true, canPublish: () => true };
  policy.declare([
    { pattern: new TopicPattern('fleet'), provider, history: undefined, delivery: {}, contract },
  ]);
  const reached: string[] = [];
  const live = new TestLive({
    rulesFor: (topic) => policy.rulesFor(topic),
    broker: (memory) => {
      const { publish } = memory;
      memory.publish = (topic, data, options) => {
        reached.push(data);
        return publish.call(memory, topic, data, options);
      };
      return memory;
    },
  });
  return { live, reached, peer: live.connect() };
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
});
