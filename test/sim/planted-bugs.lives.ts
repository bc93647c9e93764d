import { LocalSubscription } from '../../src/client/local-subscription.js';
import { Subscription } from '../../src/core/fanout/subscription.js';
import type { LatestReading, Publication, StreamReading } from '../../src/core/ports/broker.js';
import { Resync } from '../../src/core/stream/resync.js';
import type { Position } from '../../src/protocol/position.js';
import { Lineages } from '../../src/testing/lineages.js';
import type { Publications } from '../../src/testing/sim/publications.js';
import { SimBroker } from '../../src/testing/sim/sim-broker.js';
import { type PlantedBug, replace } from './plant.js';

interface StoreInside {
  readonly lineages: Lineages;
  readonly publications: Publications;
  readonly log: ReadonlyMap<string, readonly unknown[]>;
}

type Has = [topic: string, since: Position, top: Position];
type Read = [topic: string, since: Position | undefined];

/** Whether the store of the run has gone back already. */
const gone = new WeakSet<object>();

const goBackIsSeen = () =>
  replace<object, [number, number], void>(
    SimBroker,
    'goBack',
    (goBack) =>
      function (...args) {
        gone.add(this);
        goBack.apply(this, args);
      },
  );

/** Mistakes about a store that goes back, in an engine or in the core. */
export const bugsOfLives: readonly PlantedBug[] = [
  {
    name: 'a lineage is off by one: one more than is left of an epoch counts as its past',
    shows: ['recovery', 'data', 'answer', 'application'],
    plant: () =>
      replace<Lineages, Has, boolean>(
        Lineages,
        'has',
        (has) =>
          function (topic, since, top) {
            const offset = since.epoch === top.epoch ? since.offset : Math.max(0, since.offset - 1);
            return has.call(this, topic, { ...since, offset }, top);
          },
      ),
  },
  {
    name: 'the epoch is not cut: a store that went back gives the same offsets again',
    // The core itself reports an engine that does not know what it has delivered.
    shows: ['failure', 'recovery', 'data', 'order', 'behind', 'application', 'answer'],
    plant: () =>
      replace<StoreInside, [number, number], void>(
        SimBroker,
        'goBack',
        (goBack) =>
          function (...args) {
            const { lineages, publications, log } = this;
            const before = [...log.keys()].map((topic) => [topic, lineages.epochOf(topic) ?? ''] as const);
            goBack.apply(this, args);
            for (const [topic, epoch] of before) {
              lineages.begin(topic, epoch);
              publications.wentBack(topic, epoch, log.get(topic)?.length ?? 0);
            }
          },
      ),
  },
  {
    name: 'each instance names the life of the store for itself, and ends the other one',
    shows: ['recovery', 'data', 'answer', 'behind', 'application'],
    plant: () =>
      replace<SimBroker, [string], Promise<void>>(
        SimBroker,
        'publishElsewhere',
        (publishElsewhere) =>
          function (...args) {
            // Nothing has happened to the store that the rules could excuse it with.
            const { disturbances } = this;
            const happened = disturbances.happened.bind(disturbances);
            disturbances.happened = () => {};
            this.lose(args[0]);
            disturbances.happened = happened;
            return publishElsewhere.apply(this, args);
          },
      ),
  },
  {
    name: 'what was read in an earlier life is kept and told again',
    shows: ['data', 'recovery', 'application'],
    plant: () => {
      const kept = new WeakMap<object, Map<string, Publication>>();
      return replace<object, Read, Promise<StreamReading>>(
        SimBroker,
        'read',
        (read) =>
          async function (topic, ...rest) {
            const reading = await read.call(this, topic, ...rest);
            const known = kept.get(this) ?? new Map<string, Publication>();
            kept.set(this, known);
            const missed = reading.missed?.map((publication) => {
              const name = `${topic} ${String(publication.offset)}`;
              const first = known.get(name) ?? publication;
              known.set(name, first);
              return first;
            });
            return { ...reading, missed };
          },
      );
    },
  },
  {
    name: 'a store that went back tells a part of a snapshot',
    shows: ['snapshot'],
    plant: () => {
      const takeBack = goBackIsSeen();
      const takeBackLatest = replace<object, [string], Promise<LatestReading>>(
        SimBroker,
        'latest',
        (latest) =>
          async function (topic) {
            const reading = await latest.call(this, topic);
            return gone.has(this) ? { ...reading, publications: reading.publications.slice(1) } : reading;
          },
      );
      return () => {
        takeBackLatest();
        takeBack();
      };
    },
  },
  {
    name: 'a new epoch names the offset of the topic to a subscriber that is beyond it',
    shows: ['recovery', 'order', 'behind', 'answer'],
    plant: () => replace<Subscription, [number], number>(Subscription, 'firstUnsent', () => (from) => from),
  },
  {
    name: 'nobody is sent the new epoch',
    shows: ['data', 'recovery', 'order', 'behind'],
    plant: () => replace<Resync, [], void>(Resync, 'continueUnder', () => () => {}),
  },
  {
    name: 'the client moves every subscription to a new epoch that begins where it stands',
    shows: ['application'],
    plant: () =>
      replace<LocalSubscription, [Position], boolean>(
        LocalSubscription,
        'reached',
        (reached) =>
          function (place) {
            return this.position?.offset === place.offset || reached.call(this, place);
          },
      ),
  },
];
