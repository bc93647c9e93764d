// npm run chaos -- [options]: three instances on one engine, one of which is killed every few seconds, in the long form.
import { spawn, spawnSync } from 'node:child_process';
import process from 'node:process';
import { parseArgs } from 'node:util';

const help = `npm run chaos -- [options]

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
  --help                   this text
`;

const defaults = {
  seed: Math.floor(Math.random() * 1_000_000),
  clients: 300,
  topics: 20,
  'topics-per-client': 3,
  publications: 50_000,
  'per-second': 400,
  'kill-every': 5_000,
};

function refuse(why) {
  process.stderr.write(`${why}\n\n${help}`);
  process.exit(2);
}

function read() {
  const names = [...Object.keys(defaults), 'engine'];
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' }]));
  try {
    return parseArgs({ options: { ...options, help: { type: 'boolean' } } }).values;
  } catch (error) {
    return refuse(error.message);
  }
}

const values = read();
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
const { seed, clients, topics, publications } = numbers;
const engine = values.engine ?? 'redis';
if (engine !== 'redis' && engine !== 'nats') refuse('--engine must be redis or nats');
if (numbers['topics-per-client'] > topics) refuse('--topics-per-client must be at most --topics');
if (spawnSync(`${engine}-server`, ['--version']).error) refuse(`There is no ${engine}-server`);

const chaos = {
  seed,
  clients,
  topics,
  topicsPerClient: numbers['topics-per-client'],
  publications,
  perSecond: numbers['per-second'],
  killEveryMs: numbers['kill-every'],
  engine,
};
const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/chaos/long.config.ts'];
spawn(process.execPath, vitest, {
  stdio: 'inherit',
  env: { ...process.env, CHAOS: JSON.stringify(chaos) },
}).once('exit', (code) => {
  process.exitCode = code === 0 ? 0 : 1;
});
