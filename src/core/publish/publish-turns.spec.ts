import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PublishTurns } from './publish-turns.js';

const publication = fc.record({
  topic: fc.constantFrom('a', 'b'),
  isLate: fc.boolean(),
  isRefused: fc.boolean(),
});

describe('PublishTurns', () => {
  it('[L-4.14] each topic sends in order what was not refused, in whatever order the checks end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(publication, { maxLength: 12 }), fc.scheduler(), async (all, scheduler) => {
        const turns = new PublishTurns();
        const sent: Record<string, number[]> = { a: [], b: [] };
        const outcomes = all.map(({ topic, isLate, isRefused }, i) => {
          const send = async (text: string): Promise<string> => {
            sent[topic]?.push(i);
            return `sent ${text}`;
          };
          if (!isLate && !turns.waits(topic)) return isRefused ? 'refused' : send(String(i));
          const checked = isLate ? scheduler.schedule(Promise.resolve(String(i))) : String(i);
          const text = isRefused ? Promise.resolve(checked).then(() => Promise.reject(new Error())) : checked;
          return turns.take(topic, text, send).catch(() => 'refused');
        });
        await scheduler.waitAll();
        expect(await Promise.all(outcomes)).toEqual(
          all.map(({ isRefused }, i) => (isRefused ? 'refused' : `sent ${String(i)}`)),
        );
        const passed = (topic: string) =>
          all.flatMap((one, i) => (one.topic === topic && !one.isRefused ? [i] : []));
        expect(sent).toEqual({ a: passed('a'), b: passed('b') });
        expect([turns.waits('a'), turns.waits('b')]).toEqual([false, false]);
      }),
    );
  });

  it('[L-4.14] the next publication does not wait until the broker has answered for the one before', async () => {
    const turns = new PublishTurns();
    const sent: string[] = [];
    const send = (text: string): Promise<never> => {
      sent.push(text);
      return new Promise(() => {});
    };
    void turns.take('a', Promise.resolve('1'), send);
    void turns.take('a', '2', send);
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent).toEqual(['1', '2']);
  });
});
