import { describe, expectTypeOf, it } from 'vitest';
import type { LiveClient, RequestShape, TopicShape } from '../client/index.js';
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

describe('types of the bindings', () => {
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
