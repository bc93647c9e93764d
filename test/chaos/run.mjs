// npm run chaos -- [options]: kills instances or sets their store back, for longer than npm test.
import { spawn, spawnSync } from 'node:child_process';
import process from 'node:process';
import { parseArgs } from 'node:util';

const help = `npm run chaos -- [options]
npm run chaos -- --faults [options]

Runs three instances on a private Redis or NATS. Every few seconds, one of them is killed with SIGKILL
and restarted. Every acknowledged publication must reach every subscriber once and in order.
Prints the seed, the faults with their times, and the command that repeats the run.
Exits with 0 if all checks pass, with 1 if one fails, and with 2 if the run is not possible.

  --seed <n>               decides the kills and the subscriptions (random)
  --clients <n>            recovering clients (300)
  --topics <n>             topics (20)
  --topics-per-client <n>  topics that each client reads (3)
  --publications <n>       acknowledged publications until the run ends (50000)
  --per-second <n>         publications a second by all instances together (400)
  --kill-every <ms>        milliseconds between two kills, on average (5000)
  --engine <name>          redis or nats (redis)

With --faults the instances stay, and their store is restarted, restored, promoted or emptied: each
kind of fault in turn, several times. Two instances publish, and one of them is suspended during the
fault. All subscribers must hold the same data for the same position, and must learn what is lost.

  --fault <text>           only the faults with this text in their names
  --rounds <n>             how often each fault happens (5)
  --apps <n>               connected applications per instance, and as many disconnected ones (3)
  --per-second <n>         publications a second by both instances together (500)
  --engine <name>          redis or nats (redis)

  --help                   shows this text
`;

const killDefaults = {
  seed: Math.floor(Math.random() * 1_000_000),
  clients: 300,
  topics: 20,
  'topics-per-client': 3,
  publications: 50_000,
  'per-second': 400,
  'kill-every': 5_000,
};

const faultDefaults = { rounds: 5, apps: 3, 'per-second': 500 };

function refuse(why) {
  process.stderr.write(`${why}\n\n${help}`);
  process.exit(2);
}

const boolean = { type: 'boolean' };

function read(defaults, more) {
  const names = [...Object.keys(defaults), 'engine'];
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' }]));
  try {
    return parseArgs({ options: { ...options, ...more, help: boolean } }).values;
  } catch (error) {
    return refuse(error.message);
  }
}

const isFaults = process.argv.includes('--faults');
const defaults = isFaults ? faultDefaults : killDefaults;
const values = read(defaults, isFaults ? { faults: boolean, fault: { type: 'string' } } : {});
if (values.help) {
  process.stdout.write(help);
  process.exit();
}
const numbers = Object.fromEntries(
  Object.entries(defaults).map(([name, usual]) => {
    const number = Number(values[name] ?? usual);
    const min = name === 'seed' ? 0 : 1;
    if (!Number.isSafeInteger(number) || number < min)
      refuse(`--${name} must be an integer of at least ${min}`);
    return [name, number];
  }),
);
const engine = values.engine ?? 'redis';
if (engine !== 'redis' && engine !== 'nats') refuse('--engine must be redis or nats');
if (numbers['topics-per-client'] > numbers.topics) refuse('--topics-per-client must be at most --topics');
if (spawnSync(`${engine}-server`, ['--version']).error) refuse(`${engine}-server is not installed`);

const {
  'per-second': perSecond,
  'topics-per-client': topicsPerClient,
  'kill-every': killEveryMs,
  ...others
} = numbers;
const chaos = { ...others, perSecond, topicsPerClient, killEveryMs, engine, fault: values.fault ?? '' };
const file = `test/chaos/long.${isFaults ? 'faults' : 'kills'}.ts`;
const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/chaos/long.config.ts', file];
spawn(process.execPath, vitest, {
  stdio: 'inherit',
  env: { ...process.env, CHAOS: JSON.stringify(chaos) },
}).once('exit', (code) => {
  process.exitCode = code === 0 ? 0 : 1;
});
