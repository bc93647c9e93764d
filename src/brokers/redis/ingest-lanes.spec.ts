import { describe, expect, it } from 'vitest';
import { JsonText } from '../../core/frame/json-text.js';
import { LiveError } from '../../protocol/live.error.js';
import { TestClock } from '../../testing/test-clock.js';
import { IngestLanes } from './ingest-lanes.js';

/** Lanes whose broker refuses the topics in `refused`; `*` means all. */
function world(refused: Set<string>) {
  const clock = new TestClock();
  const settled: string[] = [];
  const lanes = new IngestLanes<string>(
    {
      publish: async (topic) => {
        if (refused.has('*') || refused.has(topic)) throw new LiveError('unavailable', 'Not now');
        return {};
      },
      keep: async () => {},
      pause: (ms) => new Promise((resolve) => void clock.after(ms, resolve)),
      isStopping: () => false,
      retrying: () => {},
      settled: (entry, outcome) =>
        settled.push(`${entry}: ${typeof outcome === 'string' ? outcome : outcome.reason}`),
    },
    { entries: 1_000, bytes: 1_000_000 },
  );
  let count = 0;
  const add = (topic: string): void => {
    const options = { idempotencyKey: String((count += 1)) };
    lanes.add(`${topic}${String(count)}`, { topic, data: JsonText.parse('1'), options });
  };
  const pass = async (ms: number, each: () => void = () => {}): Promise<void> => {
    for (let left = ms; left > 0; left -= 500) {
      each();
      clock.advance(500);
      await clock.settle();
    }
  };
  return { lanes, add, pass, settled };
}

const failureOf = (lanes: IngestLanes<string>): Promise<unknown> =>
  lanes.room().then(
    () => 'room',
    (error: unknown) => (error as LiveError).code,
  );

describe('IngestLanes', () => {
  it('an entry refused while others are published becomes a dead letter, and blocks only its own topic', async () => {
    const { lanes, add, pass, settled } = world(new Set(['bad']));
    add('bad');
    add('bad');
    await pass(20_000, () => add('good'));
    const letters = settled.filter((text) => text.startsWith('bad'));
    expect(settled.length - letters.length).toBe(40);
    expect(letters[0]).toMatch(/^bad1: refused \d+ times while other entries were published$/);
    // The topic's next entry becomes a dead letter sooner.
    expect(letters[1]).toMatch(/^bad2: refused [1-6] times/);
    expect(await failureOf(lanes)).toBe('room');
  });

  it('no entry becomes a dead letter while the broker refuses everything, however long that lasts', async () => {
    const refused = new Set<string>();
    const { lanes, add, pass, settled } = world(refused);
    add('good');
    await pass(500);
    refused.add('*');
    for (const topic of ['a', 'b', 'c']) add(topic);
    await pass(60_000, () => add('d'));
    expect([settled, await failureOf(lanes)]).toEqual([['good1: published'], 'unavailable']);
  });

  it('an entry refused for a while is published once the broker accepts it', async () => {
    const refused = new Set(['late']);
    const { add, pass, settled } = world(refused);
    add('late');
    await pass(5_000, () => add('good'));
    refused.clear();
    await pass(2_000);
    expect(settled.filter((text) => text.startsWith('late'))).toEqual(['late1: published']);
  });
});
