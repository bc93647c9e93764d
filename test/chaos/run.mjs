// npm run chaos -- [options]: instances that are killed, or a store that goes back, in the long form.
import { spawn, spawnSync } from 'node:child_process';
import process from 'node:process';
import { parseArgs } from 'node:util';

const help = `npm run chaos -- [options]
npm run chaos -- --faults [options]

Three instances on a Redis or NATS of their own; one of them is killed with SIGKILL every few seconds and started again.
Every acknowledged publication must reach every subscriber once and in order. Prints the seed, the faults with their times,
and the command that does it again; ends with 0 where all is well, with 1 where it is not, with 2 where it cannot be tried.

  --seed <n>               who is killed when, and who reads what (by chance)
  --clients <n>            recovering clients (300)
  --topics <n>             topics (20)
  --topics-per-client <n>  topics that each of them reads (3)
  --publications <n>       acknowledged publications after which it ends (50000)
  --per-second <n>         publications a second, of all instances together (400)
  --kill-every <ms>        milliseconds between two kills, on average (5000)
  --engine <name>          redis or nats (redis)

With --faults the instances live, and their store is restarted, restored, promoted, emptied: each kind of fault in its turn,
several times. Two instances publish, and one of them stands still while it happens. All subscribers must hold the same for the same position,
and must hear of what is lost.

  --fault <text>           only the faults with this in their names
  --rounds <n>             how often each of them happens (5)
  --apps <n>               applications on each instance that stay, and as many that are away while it happens (3)
  --per-second <n>         publications a second, of both instances together (500)
  --engine <name>          redis or nats (redis)

  --help                   this text
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
    const least = name === 'seed' ? 0 : 1;
    if (!Number.isSafeInteger(number) || number < least)
      refuse(`--${name} must be an integer of at least ${least}`);
    return [name, number];
  }),
);
const engine = values.engine ?? 'redis';
if (engine !== 'redis' && engine !== 'nats') refuse('--engine must be redis or nats');
if (numbers['topics-per-client'] > numbers.topics) refuse('--topics-per-client must be at most --topics');
if (spawnSync(`${engine}-server`, ['--version']).error) refuse(`There is no ${engine}-server`);

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
