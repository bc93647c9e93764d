import { ClientLink } from '../../src/client/client-link.js';
import type { Sink } from '../../src/client/local-subscription.js';
import { Locals } from '../../src/client/locals.js';
import { Topics } from '../../src/client/topics.js';
import type { EventMessage } from '../../src/protocol/messages.js';
import type { Position } from '../../src/protocol/position.js';
import { disable, type PlantedBug, replace } from './plant.js';

type Late = Parameters<Topics['late']>;
type Sinks = Iterable<{ readonly position: Position | undefined; sink: Sink }>;

/** Plants `offer` for the events of the old connection alone. */
function offerLate(
  late: (this: Topics, ...args: Late) => void,
  offer: (offer: () => boolean, locals: Sinks, event: EventMessage) => boolean,
): () => void {
  let isLate = false;
  const backs = [
    replace<Topics, Late, void>(
      Topics,
      'late',
      (original) =>
        function (message) {
          isLate = true;
          original.call(this, message);
          late.call(this, message);
          isLate = false;
        },
    ),
    replace<Locals, [EventMessage], boolean>(
      Locals,
      'offer',
      (original) =>
        function (event) {
          const run = (): boolean => original.call(this, event);
          return isLate ? offer(run, this as unknown as Sinks, event) : run();
        },
    ),
  ];
  return () => {
    for (const back of backs) back();
  };
}

const nothing = (): void => {};

/** Mistakes of a client that changes connections. [L-10.7] */
export const bugsOfHandovers: readonly PlantedBug[] = [
  {
    name: 'a client leaves the old connection before the next one has recovered',
    shows: ['application'],
    plant: () =>
      replace<Topics, [boolean], void>(
        Topics,
        'down',
        (down) =>
          function (isReplaced) {
            down.call(this, isReplaced);
            if (isReplaced) this.oldDown();
          },
      ),
  },
  {
    name: 'a client never leaves the old connection',
    shows: ['leftover'],
    plant: () => disable(ClientLink, 'settled'),
  },
  {
    name: 'a publication that both connections deliver arrives twice',
    shows: ['application'],
    plant: () =>
      offerLate(
        function (message) {
          if (message.type === 'event') this.message(message);
        },
        (offer, locals, { topic, offset, data }) => {
          for (const { position, sink } of locals)
            if (position !== undefined && offset <= position.offset)
              sink.message({ type: 'event', topic, position: { ...position, offset }, from: offset, data });
          return offer();
        },
      ),
  },
  {
    name: 'a publication between the two connections is lost',
    shows: ['application'],
    plant: () =>
      offerLate(nothing, (offer, locals) => {
        const sinks = [...locals].map((local) => ({ local, sink: local.sink }));
        for (const { local } of sinks) local.sink = { message: nothing, end: nothing };
        const taken = offer();
        for (const { local, sink } of sinks) local.sink = sink;
        return taken;
      }),
  },
];
