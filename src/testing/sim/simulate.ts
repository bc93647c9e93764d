import type { Fault } from './faults.js';
import { makeSchedule } from './make-schedule.js';
import { Publications } from './publications.js';
import { type RunResult, runSchedule } from './run-schedule.js';
import { shrink } from './shrink.js';
import { type MakeTopics, topicsOfEveryKind } from './sim-topic.js';
import { type Step, stepText } from './step.js';
import type { WorldOptions } from './world.js';

/** Options of `simulate`. */
export interface SimulateOptions {
  /** Seed of the first run; each later run uses the next one. */
  readonly seed: number;
  /** Number of runs. @default 1 */
  readonly runs?: number;
  /** The topics to test. @default some of every kind */
  readonly topics?: MakeTopics;
  /** Tabs of each application that share a connection. @internal */
  readonly tabs?: number;
}

/** The first failing seed, and the shortest schedule found that breaks the same rule. */
export interface SimulationFailure {
  /** The seed of the run that failed. */
  readonly seed: number;
  /** The first rule that it breaks. */
  readonly fault: Fault;
  /** @internal */
  readonly steps: readonly Step[];
  /** Number of steps in the seed's own schedule. */
  readonly before: number;
  /** The journal of the shortest schedule. */
  readonly journal: readonly string[];
  /** Everything as text for printing. */
  readonly report: string;
}

/** What all runs did together. */
export interface SimulationResult {
  /** Number of runs, including the one that failed. */
  readonly runs: number;
  /** Number of publications. */
  readonly publications: number;
  /** Number of publications that arrived, counted for each client. */
  readonly deliveries: number;
  /** `undefined` if no run failed. */
  readonly failure: SimulationFailure | undefined;
}

/**
 * Runs the whole live server with peers, clients, a broker and a network that misbehave as each
 * seed dictates, and compares all messages with the publications. Stops at the first failing seed.
 * A seed always gives the same run.
 */
export async function simulate(options: SimulateOptions): Promise<SimulationResult> {
  const { seed: first, runs = 1, topics, tabs } = options;
  const sum = { publications: 0, deliveries: 0 };
  for (let done = 0; done < runs; done++) {
    const seed = first + done;
    const { faults, counts } = await runSeed(seed, { topics, tabs });
    sum.publications += counts.publications;
    sum.deliveries += counts.deliveries;
    const [fault] = faults;
    if (fault !== undefined)
      return { runs: done + 1, ...sum, failure: await failureOf(seed, fault, options) };
  }
  return { runs, ...sum, failure: undefined };
}

/** One run of one seed. */
export function runSeed(
  seed: number,
  options: { readonly topics?: MakeTopics | undefined } & Omit<WorldOptions, 'seed' | 'makeTopics'> = {},
): Promise<RunResult> {
  const { topics: makeTopics = topicsOfEveryKind } = options;
  return runSchedule(scheduleOf(seed, makeTopics), { ...options, seed, makeTopics });
}

/** The steps of a seed. */
export function scheduleOf(seed: number, makeTopics: MakeTopics): Step[] {
  return makeSchedule(seed, makeTopics({ publications: new Publications(), behind: () => 0 }));
}

async function failureOf(seed: number, fault: Fault, options: SimulateOptions): Promise<SimulationFailure> {
  const { topics: makeTopics = topicsOfEveryKind, tabs } = options;
  const whole = scheduleOf(seed, makeTopics);
  const steps = await shrink(whole, async (part) => {
    const { faults } = await runSchedule(part, { seed, makeTopics, tabs });
    return faults[0]?.rule === fault.rule;
  });
  const { faults, journal } = await runSchedule(steps, { seed, makeTopics, tabs, keepJournal: true });
  const failure = { seed, fault: faults[0] ?? fault, steps, before: whole.length, journal };
  return { ...failure, report: reportOf(failure, again(seed, options)) };
}

/** How to reproduce a seed. */
function again(seed: number, { topics }: SimulateOptions): string {
  return topics === undefined
    ? `npm run sim -- --seed ${String(seed)} --runs 1`
    : `simulate({ seed: ${String(seed)}, topics }), with the same topics`;
}

function reportOf(failure: Omit<SimulationFailure, 'report'>, howAgain: string): string {
  const { seed, fault, steps, before, journal } = failure;
  return [
    `Seed ${String(seed)} breaks "${fault.rule}": ${fault.text}`,
    `The shortest schedule that breaks it (${String(steps.length)} of ${String(before)} steps):`,
    ...steps.map((step) => `  ${stepText(step)}`),
    'Journal:',
    ...journal.map((line) => `  ${line.length > 300 ? `${line.slice(0, 300)}…` : line}`),
    `To reproduce it: ${howAgain}`,
  ].join('\n');
}
