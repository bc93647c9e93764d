// How many client messages does a gateway handle, through a guard and a DTO?
import process from 'node:process';
import { contest } from './lib/contest.js';
import { entrantsOf } from './lib/entrants.js';
import { environmentText } from './lib/environment.js';
import { readOptions } from './lib/options.js';
import { meansOf, median, spread } from './lib/statistics.js';
import { unsteadyLines } from './lib/steadiness.js';
import { percent, short, table } from './lib/table.js';
import { targetLine } from './lib/target.js';
import { notesPerAnswer } from './peers/notes.js';

/** Parts of a round in which the servers take turns. */
const passes = 5;

const help = `node bench/inbound.js [options]

Clients send messages as fast as the server takes them, through a guard and a DTO.

  --clients 50
  --messages 2000      per client and round, a multiple of ${String(passes * notesPerAnswer)}
  --rounds 7           of each peer, in rotating order
  --warm-up 2          unmeasured rounds before them
  --peers a,b          files of bench/peers, without .js (nestjs-live, nest-ws)
  --dist ../dist       the build of nestjs-live
  --compare <folder>   another build of nestjs-live, measured in the same run
  --profile <folder>   writes a CPU profile of each server's measured rounds, which makes them slower
`;

const kinds = {
  publish: {
    title: 'publications of clients',
    about: 'Each is answered. nestjs-live also checks the right to publish and assigns offsets.',
    /** Messages for the same CPU time, relative to Nest's own adapter. */
    target: 2,
  },
  note: {
    title: "messages of the application's own",
    about: `The application's handler behind Nest's \`ValidationPipe\`, which does most of the work in the other server; nestjs-live runs it only for a message that the DTO's decorators do not plainly accept. One in ${String(notesPerAnswer)} is answered.`,
    target: 1.8,
  },
};

const baseline = 'nest-ws';
/** Maximum outstanding requests of a client. */
const window = 2 * notesPerAnswer;
/** The rate limit is off, because the cost of a message is what is measured. */
const module = { dangerouslyUnlimitedInbound: true };

const options = await readOptions(
  {
    clients: '50',
    messages: '2000',
    rounds: '7',
    'warm-up': '2',
    peers: 'nestjs-live,nest-ws',
    dist: undefined,
    compare: undefined,
    profile: undefined,
  },
  help,
);
const rounds = Number(options.rounds);
const warmUp = Number(options['warm-up']);
const clients = Number(options.clients);
const perClient = Number(options.messages);

const entrants = await entrantsOf(options);
process.stdout.write(`## Inbound\n\n${environmentText()}\n\n`);
for (const kind of Object.keys(kinds)) process.stdout.write(`${report(kind, await measure(kind))}\n`);

/** @typedef {{ cpu: number, clientCpu: number, perSecond: number, lost: number }} Round */

/** @returns {Promise<Map<string, Round[]>>} */
async function measure(kind) {
  const showings = await contest({
    name: kind,
    entrants,
    rounds,
    warmUp,
    passes,
    // A part that loses an answer shows in the mean.
    merge: (parts) => meansOf(parts, ['cpu', 'clientCpu', 'perSecond', 'lost']),
    start: { module },
    clients: { topics: Array.from({ length: clients }, () => []), concurrency: 16 },
    profile: options.profile,
    round: ({ server, swarm, group }) => oneRound(swarm, server, group, kind),
  });
  return new Map([...showings].map(([key, { rounds }]) => [key, rounds]));
}

/** @returns {Promise<Round>} */
async function oneRound(swarm, server, group, kind) {
  await server.ask('startClock');
  const { ms, cpuMicros, answered } = await swarm.ask('requests', {
    group,
    kind,
    perClient: perClient / passes,
    window,
  });
  const cost = await server.ask('cost');
  const all = (clients * perClient) / passes;
  return {
    cpu: cost.cpuMicros / all,
    clientCpu: cpuMicros / all,
    perSecond: all / (ms / 1_000),
    lost: Math.abs(all - answered),
  };
}

function report(kind, results) {
  const { title, about, target } = kinds[kind];
  const of = (key, figure) => results.get(key).map((round) => round[figure]);
  const timesOf = (key) => results.get(baseline)?.map(({ cpu }, i) => cpu / results.get(key)[i].cpu) ?? [];
  const rows = entrants.map((entrant) => {
    const { key } = entrant;
    const lost = of(key, 'lost').some((count) => count > 0);
    if (lost) process.exitCode = 1;
    const times = timesOf(key);
    return [
      lost ? `${entrant.title}: INVALID, not every message was answered` : entrant.title,
      short(median(of(key, 'cpu'))),
      percent(spread(of(key, 'cpu'))),
      times.length === 0 ? '–' : median(times).toFixed(2),
      times.length === 0 ? '–' : range(times),
      short(median(of(key, 'perSecond'))),
      short(median(of(key, 'clientCpu'))),
    ];
  });
  const times = results.has('nestjs-live') ? timesOf('nestjs-live') : [];
  const all = (clients * perClient).toLocaleString('en');
  return [
    `### E: ${title}`,
    '',
    `${String(clients)} clients, ${String(rounds)} rounds of ${all} messages through a guard and a DTO. ${about}`,
    "nestjs-live's rate limit for clients is off. The other server has none.",
    '',
    table(
      ['server', '>CPU µs/message', '>spread', '>times', '>of all rounds', '>messages/s', '>clients µs'],
      rows,
    ),
    '',
    times.length === 0
      ? ''
      : targetLine(
          `at least ${String(target)} × the messages of Nest's own WsAdapter for the same CPU`,
          median(times) >= target,
          `${median(times).toFixed(2)}; of all rounds ${range(times)}`,
        ) + unsteadyLines([['nestjs-live × WsAdapter', times]]),
  ].join('\n');
}

function range(values) {
  return `${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)}`;
}
