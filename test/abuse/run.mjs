// npm run abuse -- [options]: the long forms of the tests in this folder, one after the other.
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { parseArgs } from 'node:util';

const help = `npm run abuse -- [options]

Abusive handshakes, mutated messages and malformed frames, and one hostile reader, each much longer than in npm test. Nobody else
may notice: no uncaught error, nothing left in a registry, bystanders served as ever. Prints the seed and the command
that does it again; ends with 0 where all is well, with 1 where it is not.

  --seed <n>        the same seed gives the same abuse (by chance)
  --handshakes <n>  abusive handshakes (50000)
  --frames <n>      mutated messages, and as many malformed frames (1000000)
  --seconds <n>     of the hostile reader, for each engine (60)
  --engines <list>  for the hostile reader: of memory, Redis, NATS (memory)
  --help            this text
`;

function refuse(why) {
  process.stderr.write(`${why}\n\n${help}`);
  process.exit(2);
}

function read() {
  const names = ['seed', 'handshakes', 'frames', 'seconds', 'engines'];
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
  frames: number('frames', 1_000_000),
  reader: number('seconds', 60),
};
const engines = values.engines ?? 'memory';
const again = `--handshakes ${counts.handshakes} --frames ${counts.frames} --seconds ${counts.reader} --engines ${engines}`;
process.stdout.write(`to see it again: npm run abuse -- --seed ${seed} ${again}\n`);

let failed = false;
for (const [file, count] of Object.entries(counts)) {
  if (count === 0) continue;
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', `test/abuse/${file}.e2e-spec.ts`];
  const env = { ...process.env, ABUSE_SEED: `${seed}`, ABUSE_COUNT: `${count}`, ABUSE_ENGINES: engines };
  failed = spawnSync(process.execPath, vitest, { stdio: 'inherit', env }).status !== 0 || failed;
}
process.exitCode = failed ? 1 : 0;
