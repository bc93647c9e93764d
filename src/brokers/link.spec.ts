import { describe, expect, it } from 'vitest';
import { TestClock } from '../testing/test-clock.js';
import { Link, type LinkEngine } from './link.js';

type Answer = 'yes' | 'no' | 'never';

const answered = async (answer: Answer): Promise<void> => {
  if (answer === 'never') await new Promise(() => {});
  if (answer === 'no') throw new Error('refused');
};

class FakeEngine implements LinkEngine {
  closed = false;

  constructor(
    private readonly world: { open: Answer; probe: Answer },
    readonly lost: (error: Error) => void,
  ) {}

  open = () => answered(this.world.open);
  probe = () => answered(this.world.probe);
  close = () => {
    this.closed = true;
  };
}

function make() {
  const clock = new TestClock();
  const world = { open: 'yes' as Answer, probe: 'yes' as Answer };
  const engines: FakeEngine[] = [];
  const log: string[] = [];
  const times = { engine: 'Redis', openTimeoutMs: 6_000, probeIntervalMs: 2_000, probeTimeoutMs: 2_000 };
  const link = new Link<FakeEngine>(clock, times, {
    make: (lost) => {
      const engine = new FakeEngine(world, lost);
      engines.push(engine);
      return engine;
    },
    prepare: async () => void log.push('prepared'),
    opened: () => log.push('opened'),
    lost: (error, worked) => log.push(`${worked ? 'lost' : 'failed'}: ${error.message}`),
  });
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 250) {
      clock.advance(Math.min(250, left));
      await clock.settle();
    }
  };
  return { clock, world, engines, log, link, pass };
}

describe('Link', () => {
  it('the subscriptions are restored before the engine is used', async () => {
    const { clock, log, link } = make();
    link.open();
    expect(link.engine).toBeUndefined();
    await clock.settle();
    expect(log).toEqual(['prepared', 'opened']);
    expect(link.engine).toBeDefined();
  });

  it('[L-4.5] a dead connection is noticed within 5 seconds, although it has not ended', async () => {
    const { world, engines, log, link, pass } = make();
    link.open();
    await pass(9_750);
    world.probe = 'never';
    world.open = 'never';
    let waitedMs = 0;
    while (link.engine !== undefined && waitedMs < 10_000) {
      await pass(250);
      waitedMs += 250;
    }
    expect(waitedMs).toBeLessThanOrEqual(5_000);
    expect(log.at(-1)).toBe('lost: Redis did not bring back a message of ours within 2000 ms.');
    expect(engines[0]?.closed).toBe(true);
  });

  it('opening is retried with pauses of at most a second until it succeeds', async () => {
    const { world, engines, log, link, pass } = make();
    world.open = 'no';
    link.open();
    await link.attempted;
    await pass(20_000);
    expect(engines.length).toBeGreaterThan(20);
    expect(engines.length).toBeLessThan(60);
    expect(engines.every(({ closed }) => closed)).toBe(true);
    world.open = 'yes';
    await pass(1_000);
    expect(log.at(-1)).toBe('opened');
  });

  it('an engine that loses a connection is dropped at once, even while it is opened', async () => {
    const { clock, world, engines, log, link, pass } = make();
    world.open = 'never';
    link.open();
    engines[0]?.lost(new Error('reset'));
    expect([log, engines[0]?.closed]).toEqual([['failed: reset'], true]);
    world.open = 'yes';
    await pass(1_000);
    engines[1]?.lost(new Error('reset'));
    engines[0]?.lost(new Error('reset again'));
    expect(log.slice(1)).toEqual(['prepared', 'opened', 'lost: reset']);
    await clock.settle();
  });

  it('[L-8.2] a stall of this process is not mistaken for silence of the engine', async () => {
    const { clock, log, link, pass, world } = make();
    link.open();
    await pass(1_500);
    let answer: () => void = () => {};
    const { engine } = link;
    if (engine === undefined) throw new Error('no engine');
    engine.probe = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    clock.advance(500);
    clock.stall(30_000);
    answer();
    await clock.settle();
    expect([log.at(-1), world.probe]).toEqual(['opened', 'yes']);
  });

  it('[L-8.2] a process that is short of time waits longer for its engine, but not for ever', async () => {
    const { clock, log, link, pass, engines } = make();
    link.open();
    await pass(1_500);
    let answer: () => void = () => {};
    const probe = (): Promise<void> => new Promise((resolve) => void (answer = resolve));
    const [engine] = engines;
    if (engine === undefined) throw new Error('no engine');
    engine.probe = probe;
    clock.advance(500);
    // Each turn of the event loop takes 400 ms. The answer lies behind much that is unread.
    for (let i = 0; i < 12; i++) clock.stall(400);
    answer();
    await clock.settle();
    expect(log.at(-1)).toBe('opened');
    clock.advance(2_000);
    for (let i = 0; i < 15; i++) clock.stall(400);
    await clock.settle();
    expect(log.at(-1)).toBe('opened');
    clock.stall(400);
    await clock.settle();
    expect(log.at(-1)).toBe('lost: Redis did not bring back a message of ours within 2000 ms.');
  });

  it('closing leaves no timer and no engine', async () => {
    const { clock, engines, link, pass } = make();
    link.open();
    await pass(3_000);
    link.close();
    await clock.settle();
    expect([engines.every(({ closed }) => closed), clock.timerCount, link.engine]).toEqual([
      true,
      0,
      undefined,
    ]);
  });
});
