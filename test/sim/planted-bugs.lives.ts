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

/** Brokers whose store has gone back already. */
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

/** Mistakes with a store that goes back, in an engine or in the core. */
export const bugsOfLives: readonly PlantedBug[] = [
  {
    name: 'a lineage is off by one: an offset past the end of an epoch counts as its history',
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
    name: 'a store that went back reuses offsets because its epoch does not end',
    // The core itself reports an engine that contradicts what it has delivered.
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
    name: 'each instance names the life of the store itself and ends that of the other',
    shows: ['recovery', 'data', 'answer', 'behind', 'application'],
    plant: () =>
      replace<SimBroker, [string], Promise<void>>(
        SimBroker,
        'publishElsewhere',
        (publishElsewhere) =>
          function (...args) {
            // No disturbance happened that would excuse a new epoch to the rules.
            const { disturbances } = this.network;
            const happened = disturbances.happened.bind(disturbances);
            disturbances.happened = () => {};
            this.lose(args[0]);
            disturbances.happened = happened;
            return publishElsewhere.apply(this, args);
          },
      ),
  },
  {
    name: 'publications read in an earlier life of the store are cached and sent again',
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
    name: 'a store that went back returns a part of a snapshot',
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
    name: 'a subscriber ahead of a new epoch gets the offset of the topic instead of its own',
    shows: ['recovery', 'order', 'behind', 'answer'],
    plant: () => replace<Subscription, [number], number>(Subscription, 'firstUnsent', () => (from) => from),
  },
  {
    name: 'the new epoch is not sent to subscribers',
    shows: ['data', 'recovery', 'order', 'behind'],
    plant: () => replace<Resync, [], void>(Resync, 'continueUnder', () => () => {}),
  },
  {
    name: 'the client moves a subscription to any new epoch that begins at its offset',
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
