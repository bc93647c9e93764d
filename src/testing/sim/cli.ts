import { parseArgs } from 'node:util';
import { simulate } from './simulate.js';

const help = `Runs the simulation: server, broker, network, peers and clients in one process, as seeds say.

  npm run sim -- [--seed N] [--runs M]

  --seed N   the first seed; each run has the next one (default: random, and printed)
  --runs M   how many runs (default 1000)
  --help     this text

Prints the first seed that breaks a rule, with the shortest schedule found, and exits with 1.`;

/** A whole number of at least `least`, or a stop with what is wrong. */
function numberOf(name: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  console.error(`--${name} must be a whole number from ${String(least)}, not "${text}".\n\n${help}`);
  process.exit(2);
}

function given(): { seed?: string | undefined; runs?: string | undefined; help?: boolean | undefined } {
  const options = { seed: { type: 'string' }, runs: { type: 'string' }, help: { type: 'boolean' } } as const;
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${help}`);
    process.exit(2);
  }
}

async function main(): Promise<void> {
  const values = given();
  if (values.help === true) {
    console.log(help);
    return;
  }
  const seed =
    values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : numberOf('seed', values.seed, 0);
  const runs = numberOf('runs', values.runs ?? '1000', 1);
  console.log(`Seeds ${String(seed)} to ${String(seed + runs - 1)}.`);
  const startedMs = performance.now();
  const { failure, runs: done, publications, deliveries } = await simulate({ seed, runs });
  const perSecond = Math.round((done * 1_000) / (performance.now() - startedMs));
  const what = `${String(done)} runs, ${String(publications)} publications, ${String(deliveries)} deliveries`;
  console.log(`${what}; ${String(perSecond)} runs/s.`);
  if (failure === undefined) console.log('No rule was broken.');
  else {
    console.error(failure.report);
    process.exitCode = 1;
  }
}

await main();
