import { describe, expectTypeOf, it } from 'vitest';
import type { LiveClient, RequestShape, TopicShape } from '../client/index.js';
import type { useCollection as UseCollection, useLive as UseLive } from './react.js';
import type { NewestOf, Publish, RegisteredRequests, RegisteredTopics } from './store.js';

interface Move {
  readonly x: number;
}
interface Topics {
  'fleet/7': Move;
  'fleet/all': TopicShape<Move, readonly Move[], never>;
}
interface Requests {
  book: RequestShape<number, string>;
}
interface Registered {
  readonly client: LiveClient<Topics, Requests>;
}

/** Never called: only the compiler reads it. */
function selecting(useCollection: typeof UseCollection, useLive: typeof UseLive): unknown[] {
  const size = useCollection('a', { suspense: true, select: ({ data }) => data.size });
  const sum = useLive('a', {
    suspense: true,
    maxRate: 1,
    initial: 0,
    apply: (n: number, { data }) => (data ? n : 0),
  });
  expectTypeOf(size).toEqualTypeOf<number>();
  expectTypeOf(sum.data).toEqualTypeOf<number>();
  expectTypeOf(useLive('a', { suspense: true }).data).toEqualTypeOf<unknown>();
  expectTypeOf(useCollection('a').data).toEqualTypeOf<ReadonlyMap<string, unknown>>();
  return [size, sum];
}

describe('types of the bindings', () => {
  it('options of every kind lead to the types of what is shown', () => {
    expectTypeOf(selecting).returns.toEqualTypeOf<unknown[]>();
  });

  it('the topics and requests of a registered client are known', () => {
    expectTypeOf<RegisteredTopics<Registered>>().toEqualTypeOf<Topics>();
    expectTypeOf<RegisteredRequests<Registered>>().toEqualTypeOf<Requests>();
    expectTypeOf<RegisteredTopics<object>>().toEqualTypeOf<Record<string, unknown>>();
  });

  it('the newest data of a topic may be its snapshot', () => {
    expectTypeOf<NewestOf<Topics['fleet/7']>>().toEqualTypeOf<Move>();
    expectTypeOf<NewestOf<Topics['fleet/all']>>().toEqualTypeOf<Move | readonly Move[]>();
  });

  it('a topic is published with its data, or with the key that is removed', () => {
    const publish = (move: Publish<Move>): unknown[] => [
      move({ x: 1 }, { key: 'k' }),
      move(undefined, { key: 'k', remove: true }),
      // @ts-expect-error: data of another shape
      move({ y: 1 }),
    ];
    expectTypeOf(publish).parameter(0).toEqualTypeOf<Publish<Move>>();
  });
});
