import { parseArgs } from 'node:util';
import { simulate } from 'nestjs-live/testing';

export const help = `Runs the simulation: server, broker, network, peers and clients in one process, driven by seeds.

  npm run sim -- [--seed N] [--runs M]

  --seed N   the first seed; each run uses the next one (default: random, and printed)
  --runs M   the number of runs (default 1000)
  --help     shows this text

Prints the first seed that breaks a rule, with the shortest schedule found, and exits with 1.`;

/** The arguments are invalid. The message says what to write instead. */
class BadArgument extends Error {}

interface Arguments {
  readonly seed: number;
  readonly runs: number;
  readonly help: boolean;
}

/**
 * The command `npm run sim`. Returns 0 if no rule was broken, 1 if one was, and 2 for invalid
 * arguments.
 *
 * @param print - receives the output, a few lines at a time
 */
export async function simCommand(args: readonly string[], print: (text: string) => void): Promise<0 | 1 | 2> {
  let given: Arguments;
  try {
    given = read(args);
  } catch (error) {
    print(`${error instanceof Error ? error.message : String(error)}\n\n${help}`);
    return 2;
  }
  if (given.help) {
    print(help);
    return 0;
  }
  const { seed, runs } = given;
  print(`Seeds ${String(seed)} to ${String(seed + runs - 1)}.`);
  const startedMs = performance.now();
  const result = await simulate({ seed, runs });
  const seconds = (performance.now() - startedMs) / 1_000;
  const { failure, publications, deliveries } = result;
  const what = `${String(result.runs)} runs, ${String(publications)} publications, ${String(deliveries)} deliveries`;
  if (failure === undefined) {
    print(`${what}; ${String(Math.round(runs / seconds))} runs/s. No rule was broken.`);
    return 0;
  }
  print(`${what}.\n${failure.report}`);
  return 1;
}

function read(args: readonly string[]): Arguments {
  const options = { seed: { type: 'string' }, runs: { type: 'string' }, help: { type: 'boolean' } } as const;
  const { values } = parseArgs({ args: [...args], options });
  const random = Math.floor(Math.random() * 2 ** 31);
  return {
    seed: values.seed === undefined ? random : wholeNumber('seed', values.seed, 0),
    runs: values.runs === undefined ? 1_000 : wholeNumber('runs', values.runs, 1),
    help: values.help ?? false,
  };
}

function wholeNumber(name: string, text: string, min: number): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= min) return value;
  throw new BadArgument(`--${name} must be a whole number from ${String(min)}, not "${text}".`);
}
