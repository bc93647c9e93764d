import { progress } from './options.js';
import { spread } from './statistics.js';
import { percent } from './table.js';

/** The largest spread of a figure that may be published. */
export const steady = 0.15;

/**
 * A line for each figure whose rounds differ too much. `run.js` writes no page with such a line.
 *
 * @param {readonly (readonly [what: string, rounds: readonly number[]])[]} figures
 */
export function unsteadyLines(figures) {
  return figures
    .filter(([, rounds]) => spread(rounds) > steady)
    .map(([what, rounds]) => `Unsteady: ${what}: ${percent(spread(rounds))}.\n`)
    .join('');
}

/** Repeats a measurement that prints `Unsteady` lines: something disturbed the machine. */
export async function untilSteady(measure, most = 3) {
  let text = await measure();
  for (let times = 1; times < most && text.includes('Unsteady: '); times++) {
    progress('The rounds differ too much: once more.\n');
    text = await measure();
  }
  return text;
}
