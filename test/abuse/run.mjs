// npm run abuse -- [options]: runs the tests of this folder for longer, one after the other.
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { parseArgs } from 'node:util';

const help = `npm run abuse -- [options]

Runs abusive handshakes and requests, mutated messages, malformed frames and one hostile reader, for
much longer than npm test does. It checks that no error is uncaught, that nothing is left in a registry, and that
other clients are served normally. Prints the seed and the command that repeats the run.
Exits with 0 if all checks pass, and with 1 otherwise.

  --seed <n>        the same seed gives the same abuse (random)
  --handshakes <n>  abusive handshakes (50000)
  --requests <n>    abusive requests of the event door, and a quarter as many sessions (20000)
  --frames <n>      mutated messages, and the same number of malformed frames (1000000)
  --seconds <n>     of the hostile reader on each engine (60)
  --engines <list>  for the hostile reader, from memory, Redis, NATS (memory)
  --help            shows this text
`;

function refuse(why) {
  process.stderr.write(`${why}\n\n${help}`);
  process.exit(2);
}

function read() {
  const names = ['seed', 'handshakes', 'requests', 'frames', 'seconds', 'engines'];
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

function number(name, usual) {
  const value = Number(values[name] ?? usual);
  if (!Number.isSafeInteger(value) || value < 0) refuse(`--${name} must be an integer of at least 0`);
  return value;
}

const seed = number('seed', Math.floor(Math.random() * 2 ** 32));
const counts = {
  handshakes: number('handshakes', 50_000),
  requests: number('requests', 20_000),
  frames: number('frames', 1_000_000),
  reader: number('seconds', 60),
};
const engines = values.engines ?? 'memory';
const again = `--handshakes ${counts.handshakes} --requests ${counts.requests} --frames ${counts.frames} --seconds ${counts.reader} --engines ${engines}`;
process.stdout.write(`To repeat this run: npm run abuse -- --seed ${seed} ${again}\n`);

let failed = false;
for (const [file, count] of Object.entries(counts)) {
  if (count === 0) continue;
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', `test/abuse/${file}.e2e-spec.ts`];
  const env = { ...process.env, ABUSE_SEED: `${seed}`, ABUSE_COUNT: `${count}`, ABUSE_ENGINES: engines };
  failed = spawnSync(process.execPath, vitest, { stdio: 'inherit', env }).status !== 0 || failed;
}
process.exitCode = failed ? 1 : 0;
