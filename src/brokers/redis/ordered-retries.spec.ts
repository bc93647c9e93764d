import { expect, it } from 'vitest';
import { OrderedRetries } from './ordered-retries.js';

/** A connection that runs calls in order, and may know its script. */
function connection() {
  const done: string[] = [];
  const state = { knows: true };
  const call = (name: string, loads: boolean) => async (): Promise<string> => {
    // Decided on sending, answered later.
    state.knows ||= loads;
    if (state.knows) done.push(name);
    const { knows } = state;
    await new Promise((answered) => {
      setImmediate(answered);
    });
    if (!knows) throw new Error('NOSCRIPT');
    return name;
  };
  const calls = new OrderedRetries();
  const run = (name: string) => calls.run(call(name, false), isUnknown, call(name, true));
  return { done, state, run };
}

const isUnknown = (error: unknown): boolean => (error as Error).message === 'NOSCRIPT';
const names = Array.from({ length: 30 }, (_, i) => String(i));

it('calls keep their order if the script is forgotten between them repeatedly', async () => {
  const { done, state, run } = connection();
  const calls: Promise<string>[] = [];
  for (const [i, name] of names.entries()) {
    if (i % 7 === 3) state.knows = false;
    calls.push(run(name));
    if (i % 5 === 0)
      await new Promise((turn) => {
        setImmediate(turn);
      });
  }
  expect(await Promise.all(calls)).toEqual(names);
  expect(done).toEqual(names);
});

it('an error without a retry is passed on and blocks no other call', async () => {
  const calls = new OrderedRetries();
  const fail = () => Promise.reject(new Error('OOM'));
  await expect(calls.run(fail, isUnknown, fail)).rejects.toThrow('OOM');
  const forgotten = () => Promise.reject(new Error('NOSCRIPT'));
  await expect(calls.run(forgotten, isUnknown, fail)).rejects.toThrow('OOM');
  expect(await calls.run(() => Promise.resolve(1), isUnknown, fail)).toBe(1);
});
