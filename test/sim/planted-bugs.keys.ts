import { MemoryStream } from '../../src/brokers/memory/memory-stream.js';
import type { Publication } from '../../src/core/ports/broker.js';
import { Latest } from '../../src/core/stream/latest.js';
import { type PlantedBug, replace } from './plant.js';

/** Mistakes with removed keys. [L-6.6] */
export const bugsOfKeys: readonly PlantedBug[] = [
  {
    name: 'a removed key stays in the snapshot',
    shows: ['snapshot'],
    plant: () =>
      replace<Latest, Parameters<Latest['add']>, void>(
        Latest,
        'add',
        (add) =>
          function (publication, ...more) {
            if (publication.removed !== true) add.call(this, publication, ...more);
          },
      ),
  },
  {
    name: 'a removed key returns because its version was removed with it',
    shows: ['snapshot', 'data', 'order', 'behind', 'answer', 'failure'],
    plant: () => {
      const removed = new WeakMap<MemoryStream, Set<string>>();
      const takeBack = replace<MemoryStream, Parameters<MemoryStream['add']>, Publication>(
        MemoryStream,
        'add',
        (add) =>
          function (data, options, nowMs) {
            const keys = removed.get(this) ?? new Set();
            removed.set(this, keys);
            if (options.remove === true) keys.add(options.key ?? '');
            else keys.delete(options.key ?? '');
            return add.call(this, data, options, nowMs);
          },
      );
      const andBack = replace<MemoryStream, Parameters<MemoryStream['isStale']>, boolean>(
        MemoryStream,
        'isStale',
        (isStale) =>
          function (options) {
            return removed.get(this)?.has(options.key ?? '') !== true && isStale.call(this, options);
          },
      );
      return () => {
        andBack();
        takeBack();
      };
    },
  },
];
