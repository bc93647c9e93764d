import type { PublicationOptions } from '../../src/core/publish/broker-options.js';
import { RefusedPublishes } from '../../src/core/inbound/refused-publishes.js';
import { Publisher } from '../../src/core/publish/publisher.js';
import { disable, type PlantedBug, replace } from './plant.js';

/** Mistakes with publications that are sent again. [L-4.15] [L-4.16] */
export const bugsOfPublishing: readonly PlantedBug[] = [
  {
    name: 'a publication that is sent again is published again',
    shows: ['application'],
    plant: () =>
      replace<Publisher, [string, string, PublicationOptions, ...unknown[]], unknown>(
        Publisher,
        'publish',
        (publish) =>
          function (topic, text, options, ...more) {
            const { idempotencyKey: _, ...others } = options;
            return publish.call(this, topic, text, others, ...more);
          },
      ),
  },
  {
    name: 'a publication overtakes a refused one',
    shows: ['application'],
    plant: () => disable(RefusedPublishes, 'check'),
  },
];
