// What does a browser with ten tabs cost a server, compared with one tab?
import process from 'node:process';
import { Asked } from './lib/asking.js';
import { inTurn, serverProcess } from './lib/entrants.js';
import { environmentText } from './lib/environment.js';
import { distAddress, progress, readOptions } from './lib/options.js';
import { topicName } from './lib/scenarios.js';
import { median, spread } from './lib/statistics.js';
import { unsteadyLines } from './lib/steadiness.js';
import { percent, short, table } from './lib/table.js';
import { targetLine } from './lib/target.js';

const help = `node bench/tabs.js [options]

Prints the server's heap for a browser with one tab and with ten, which share a connection or have one each.

  --browsers 500   with a user each
  --tabs 10        of a browser
  --topics 3       that every tab shows
  --rounds 5       of each kind of browser, each in a new process
  --dist ../dist   the build of nestjs-live
`;

/** A browser with many tabs, relative to one with a single tab. */
const atMost = 1.2;
const peer = 'nestjs-live';
/** Opened and closed before the measurement, so that one-time allocations do not count. */
const warmUpBrowsers = 50;

const options = await readOptions(
  { browsers: '500', tabs: '10', topics: '3', rounds: '5', dist: undefined },
  help,
);
const browsers = Number(options.browsers);
const dist = distAddress(options.dist);
const shown = Array.from({ length: Number(options.topics) }, (_, i) => topicName(i));
const every = (count, topicsOf) => Array.from({ length: count }, (_, tab) => topicsOf(tab));
/** Beyond those that every tab shows. */
const ownTopic = (tab) => topicName(shown.length + tab);

const many = Number(options.tabs);
const kinds = [
  { title: 'one tab', shares: true, sockets: 1, topics: [shown] },
  { title: `${String(many)} tabs that share`, shares: true, sockets: 1, topics: every(many, () => shown) },
  {
    title: `${String(many)} tabs that share, each with a topic of its own`,
    shares: true,
    sockets: 1,
    topics: every(many, (tab) => [...shown, ownTopic(tab)]),
  },
  {
    title: `one tab with the topics of those ${String(many)}`,
    shares: true,
    sockets: 1,
    topics: [[...shown, ...every(many, ownTopic)]],
  },
  {
    title: `${String(many)} tabs, a connection each`,
    shares: false,
    sockets: many,
    topics: every(many, () => shown),
  },
];
const [one, same] = kinds;

process.stdout.write(`## Tabs\n\n${environmentText()}\n\n`);
const results = new Map(kinds.map((kind) => [kind, []]));
let isValid = true;
for (let round = 0; round < Number(options.rounds); round++) {
  progress(`tabs: round ${String(round + 1)}   `);
  for (const kind of inTurn(kinds, round)) {
    const bytes = await heapOf(kind);
    progress(`${kind.title} ${short(bytes)} B   `);
    results.get(kind).push(bytes);
  }
  progress('\n');
}
report();

async function heapOf({ title, shares, sockets, topics }) {
  const tabs = new Asked({ script: new URL('lib/tabs-process.js', import.meta.url), core: 1 });
  const server = await serverProcess(peer, ['--expose-gc']);
  const { port } = await server.ask('start', { dist });
  const open = (count, firstIndex) =>
    tabs.ask('open', { dist, peer, port, browsers: count, firstIndex, shares, topics });
  await open(warmUpBrowsers, browsers);
  await tabs.ask('close');
  while ((await server.ask('tell')).connections > 0) await new Promise((go) => setTimeout(go, 20));
  const before = await server.ask('memory');
  await open(browsers, 0);
  await server.ask('publish', { topic: topicName(0), count: 1, inFlight: 1 });
  const expected = browsers * topics.length;
  const delivered = await tabs.ask('delivered', { count: expected });
  const after = await server.ask('memory');
  const { connections } = await server.ask('tell');
  if (connections !== browsers * sockets || delivered !== expected) {
    isValid = false;
    progress(`\n!! ${title}: ${String(connections)} connections, ${String(delivered)} deliveries\n`);
  }
  await tabs.end();
  await server.end();
  return (after.heapUsed - before.heapUsed) / browsers;
}

/** The median of the ratios of one round each. */
function ratioOf(kind, base) {
  return median(results.get(kind).map((bytes, round) => bytes / results.get(base)[round]));
}

function report() {
  if (!isValid) process.exitCode = 1;
  const rows = kinds.map((kind) => [
    kind.title,
    String(kind.sockets),
    short(median(results.get(kind))),
    percent(spread(results.get(kind))),
    short(ratioOf(kind, one)),
  ]);
  const ratio = ratioOf(same, one);
  process.stdout.write(
    [
      `${String(browsers)} browsers of a user each; every tab shows ${String(shown.length)} topics. ` +
        `Each tab got the publication once${isValid ? '' : ': INVALID'}.`,
      '',
      table(['browser', '>sockets', '>heap bytes/browser', '>spread', '>to one tab'], rows),
      '',
      targetLine(`${String(many)} tabs at most ${String(atMost)} × one tab`, ratio <= atMost, short(ratio)) +
        unsteadyLines(kinds.map((kind) => [kind.title, results.get(kind)])),
    ].join('\n'),
  );
}
