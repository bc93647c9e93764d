import { describe, expect, it } from 'vitest';
import { TestClock } from '../../testing/test-clock.js';
import { PublishRefusal, tooLarge } from '../ports/publish-refusal.js';
import { PublishHealth } from './publish-health.js';

const full = new PublishRefusal('refused', 'Its memory is full');

/** The health of a publisher, with an engine that refuses while `refuses` is set. */
function world() {
  const clock = new TestClock();
  const engine = { refuses: full as Error | undefined, attempts: 0 };
  const told: unknown[] = [];
  const observer = { publishing: (refusals: unknown) => void told.push(refusals) };
  const attempt = async (): Promise<void> => {
    engine.attempts += 1;
    if (engine.refuses !== undefined) throw engine.refuses;
  };
  const health = new PublishHealth(clock, observer, attempt);
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 100) {
      clock.advance(Math.min(100, left));
      await clock.settle();
    }
  };
  return { clock, engine, told, health, pass };
}

describe('PublishHealth', () => {
  it('refusals become lasting after 5 seconds, with their start and reason', async () => {
    const { clock, health, told, pass } = world();
    const sinceMs = clock.wallMs();
    health.failed(full);
    await pass(4_900);
    expect(health.refusals).toEqual({ sinceMs, reason: full.message, lasting: false });
    await pass(100);
    expect(health.refusals).toEqual({ sinceMs, reason: full.message, lasting: true });
    expect(told).toEqual([{ sinceMs, reason: full.message, lasting: false }]);
  });

  it('refusals end with the first accepted publication and leave no timer', async () => {
    const { clock, health, told, pass } = world();
    health.failed(full);
    await pass(6_000);
    health.accepted();
    expect([health.refusals, told.at(-1), clock.timerCount]).toEqual([undefined, undefined, 0]);
    health.accepted();
    expect(told).toHaveLength(2);
  });

  it('refusals end within a second without any publisher', async () => {
    const { clock, engine, health, pass } = world();
    health.failed(full);
    await pass(20_000);
    expect([engine.attempts, health.refusals?.lasting]).toEqual([20, true]);
    engine.refuses = undefined;
    await pass(1_000);
    expect([engine.attempts, health.refusals, clock.timerCount]).toEqual([21, undefined, 0]);
  });

  it('no probe is sent while others publish, or for an error that is not a refusal', async () => {
    const { engine, health, pass, clock } = world();
    health.failed(new Error('Redis did not answer'));
    health.failed(tooLarge(1, 2));
    expect([health.refusals, clock.timerCount]).toEqual([undefined, 0]);
    for (let i = 0; i < 30; i++) {
      health.failed(full);
      await pass(500);
    }
    expect(engine.attempts).toBe(0);
  });

  it('probes continue while the engine is unavailable, and the newest reason is kept', async () => {
    const { engine, health, pass } = world();
    health.failed(full);
    engine.refuses = new Error('Redis is away');
    await pass(3_000);
    engine.refuses = new PublishRefusal('refused', 'It has too few replicas');
    await pass(3_000);
    expect(health.refusals).toMatchObject({ reason: 'It has too few replicas', lasting: true });
  });

  it('stopping the server stops the probes', async () => {
    const { engine, health, clock, pass } = world();
    health.failed(full);
    health.stop();
    await pass(5_000);
    expect([engine.attempts, clock.timerCount, health.refusals]).toEqual([0, 0, undefined]);
  });
});
