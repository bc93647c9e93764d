import { objectOf, type PlainShape, plainSchema } from './plain-schema.js';

const number = (description: string): PlainShape => ({ type: 'number', description });
const count = (description: string): PlainShape => ({ type: 'integer', description });
const listOf = (items: PlainShape, description: string): PlainShape => ({
  type: 'array',
  items,
  description,
});

const delay = objectOf(
  { mean: number('Mean.'), p99: number('99th percentile.'), max: number('Longest.') },
  'Delay of timers in the last second or two, in milliseconds.',
);

const vitals = objectOf(
  {
    time: count('Milliseconds since 1970.'),
    uptimeSeconds: number('Since the start of the process.'),
    rssBytes: count('Memory of the process.'),
    heapUsedBytes: count('Used part of the heap.'),
    cpuPercent: number('Of one core, since the reading before.'),
    eventLoopDelayMs: delay,
    connections: count('Open connections of this instance.'),
    subscriptions: count('Their subscriptions.'),
    topics: count('Topics with subscribers.'),
    publicationsTotal: count('Publications since the start.'),
    deliveriesTotal: count('Deliveries since the start.'),
    queuedBytes: count('Bytes that wait for slow readers.'),
  },
  'State of the server.',
);

const vehicle = objectOf(
  {
    id: { type: 'string', description: 'Also the key of the publication.' },
    lat: number('Degrees north.'),
    lon: number('Degrees east.'),
    headingDegrees: number('Clockwise from north, below 360.'),
    speedKmh: number('Kilometers per hour.'),
    line: { type: 'string', enum: ['A', 'B'], description: 'Direction on the track.' },
  },
  'A vehicle of the demo.',
);

/** What the server publishes on its own topics, and what their subscribers start with. */
export const schemas = {
  vitals: {
    data: plainSchema(vitals),
    snapshot: plainSchema(listOf(vitals, 'The last two minutes, oldest first.')),
  },
  fleet: {
    data: plainSchema(vehicle),
    snapshot: plainSchema(
      objectOf(
        {
          track: { type: 'array', description: 'Points of the closed track.' },
          vehicles: listOf(vehicle, 'All vehicles.'),
        },
        'The track and the vehicles on it.',
      ),
    ),
  },
} as const;
