import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TestClock } from '../testing/test-clock.js';
import { Subscriptions } from './subscriptions.js';

/** An engine that answers when the test says so. */
class Engine {
  readonly commands: string[] = [];
  readonly inForce = new Set<string>();
  private readonly open: (() => void)[] = [];

  constructor(private readonly patient = false) {}

  async subscribe(channels: readonly string[]): Promise<void> {
    this.commands.push(`+${String(channels.length)}`);
    await this.answer(() => channels.forEach((channel) => this.inForce.add(channel)));
  }

  async unsubscribe(channels: readonly string[]): Promise<void> {
    this.commands.push(`-${String(channels.length)}`);
    await this.answer(() => channels.forEach((channel) => this.inForce.delete(channel)));
  }

  answerAll(): void {
    for (const answer of this.open.splice(0)) answer();
  }

  private async answer(carryOut: () => void): Promise<void> {
    if (this.patient) await new Promise<void>((resolve) => this.open.push(() => resolve(carryOut())));
    else carryOut();
  }
}

async function attached(engine = new Engine(), maxLingering = 1_000) {
  const clock = new TestClock();
  const subscriptions = new Subscriptions(clock, { lingerMs: 2_000, maxLingering, failed: () => {} });
  await subscriptions.attach(engine);
  const add = (name: string) => subscriptions.add(name, name);
  return { clock, subscriptions, engine, add };
}

describe('Subscriptions', () => {
  it('subscriptions of one tick share a command, and resolve when they are in force', async () => {
    const { clock, engine, add } = await attached();
    const all = Promise.all(Array.from({ length: 300 }, (_, i) => add(`t${String(i)}`)));
    clock.flush();
    await all;
    expect([engine.commands, engine.inForce.size]).toEqual([['+300'], 300]);
  });

  it('one command is in flight at a time, and later requests join the next one', async () => {
    const engine = new Engine(true);
    const { clock, add } = await attached(engine);
    const all = [add('a')];
    clock.flush();
    for (const name of 'bcdef') {
      all.push(add(name));
      clock.flush();
    }
    expect(engine.commands).toEqual(['+1']);
    engine.answerAll();
    await clock.settle();
    expect(engine.commands).toEqual(['+1', '+5']);
    engine.answerAll();
    await Promise.all(all);
  });

  it('leaving a topic and returning soon sends no command', async () => {
    const { clock, subscriptions, engine, add } = await attached();
    const first = add('a');
    clock.flush();
    await first;
    for (let i = 0; i < 10_000; i++) {
      subscriptions.remove('a');
      expect(subscriptions.topicOf('a')).toBeUndefined();
      await add('a');
      if (i % 100 === 0) clock.advance(10);
    }
    expect([engine.commands, subscriptions.topicOf('a')]).toEqual([['+1'], 'a']);
  });

  it('a subscription without readers ends after about 2 seconds, in batches, and is forgotten', async () => {
    const { clock, subscriptions, engine, add } = await attached();
    const names = Array.from({ length: 1_000 }, (_, i) => `t${String(i)}`);
    const all = Promise.all(names.map(add));
    await clock.settle();
    await all;
    for (const name of names) subscriptions.remove(name);
    clock.advance(1_000);
    await clock.settle();
    expect(engine.inForce.size).toBe(1_000);
    clock.advance(2_000);
    await clock.settle();
    expect([engine.inForce.size, subscriptions.size, clock.timerCount]).toEqual([0, 0, 0]);
    expect(engine.commands).toEqual(['+512', '+488', '-512', '-488']);
  });

  it('the number of lingering subscriptions is bounded', async () => {
    const { clock, subscriptions, engine, add } = await attached(new Engine(), 10);
    for (let i = 0; i < 100; i++) {
      const name = `t${String(i)}`;
      const added = add(name);
      clock.flush();
      await added;
      subscriptions.remove(name);
    }
    await clock.settle();
    expect([subscriptions.size, engine.inForce.size]).toEqual([10, 10]);
  });

  it('losing the engine rejects the waiting calls, and the next engine inherits the subscriptions in force', async () => {
    const lost = new Engine(true);
    const { clock, subscriptions, add } = await attached(lost);
    const old = add('old');
    clock.flush();
    lost.answerAll();
    await old;
    const waiting = add('waiting');
    subscriptions.remove('old');
    const back = add('old');
    clock.flush();
    subscriptions.detach(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    await back;
    const next = new Engine();
    const attaching = subscriptions.attach(next);
    await clock.settle();
    await attaching;
    lost.answerAll();
    await clock.settle();
    expect([[...next.inForce], subscriptions.size]).toEqual([['old'], 1]);
  });

  it('[L-3.6] a reader that came back and was refused is not inherited by the next engine', async () => {
    const { clock, subscriptions, add } = await attached();
    const added = add('a');
    await clock.settle();
    await added;
    subscriptions.detach(new Error('gone'));
    subscriptions.attach(new Engine(true)).catch(() => {});
    subscriptions.remove('a');
    const back = add('a');
    subscriptions.detach(new Error('gone'));
    await expect(back).rejects.toThrow('gone');
    const next = new Engine();
    subscriptions.attach(next).catch(() => {});
    await clock.settle();
    expect([next.inForce.size, subscriptions.size]).toEqual([0, 0]);
  });

  it('[L-5.9] a subscription that the engine ends right behind its answer is made again', async () => {
    const engine = new Engine(true);
    const { clock, subscriptions, add } = await attached(engine);
    const added = add('a');
    clock.flush();
    engine.answerAll();
    engine.inForce.delete('a');
    // The answer and the end arrive together, and the end is reported first.
    const renewed = subscriptions.renew('a');
    await clock.settle();
    expect(engine.commands).toEqual(['+1', '+1']);
    engine.answerAll();
    await Promise.all([added, renewed]);
    expect([...engine.inForce]).toEqual(['a']);
  });

  it('a subscription that the engine ends while it waits to be ended is forgotten', async () => {
    const engine = new Engine(true);
    const { clock, subscriptions, add } = await attached(engine, 0);
    for (const name of 'ab') add(name).catch(() => {});
    await clock.settle();
    engine.answerAll();
    await clock.settle();
    subscriptions.remove('a');
    await clock.settle();
    subscriptions.remove('b');
    engine.inForce.delete('b');
    await subscriptions.renew('b');
    engine.answerAll();
    await clock.settle();
    expect([engine.commands, subscriptions.size]).toEqual([['+2', '-1'], 0]);
  });

  it('[L-3.6] after any sequence of changes exactly the wanted subscriptions are in force', async () => {
    const steps = fc.array(
      fc.record({
        name: fc.constantFrom('a', 'b', 'c', 'd'),
        what: fc.constantFrom('add', 'remove', 'wait', 'answer', 'end', 'lose'),
      }),
      { maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        let engine = new Engine(true);
        const { clock, subscriptions, add } = await attached(engine);
        const wanted = new Set<string>();
        for (const { name, what } of all) {
          if (what === 'add') {
            if (wanted.has(name)) continue;
            wanted.add(name);
            add(name).catch(() => wanted.delete(name));
          } else if (what === 'remove') {
            wanted.delete(name);
            subscriptions.remove(name);
          } else if (what === 'answer') {
            engine.answerAll();
            await clock.settle();
          } else if (what === 'end') {
            engine.answerAll();
            if (engine.inForce.delete(name)) subscriptions.renew(name).catch(() => {});
            await clock.settle();
          } else if (what === 'lose') {
            subscriptions.detach(new Error('gone'));
            await clock.settle();
            engine = new Engine(true);
            subscriptions.attach(engine).catch(() => {});
          } else clock.advance(700);
        }
        for (let i = 0; i < 20; i++) {
          clock.advance(1_000);
          await clock.settle();
          engine.answerAll();
          await clock.settle();
        }
        expect([...engine.inForce].toSorted()).toEqual([...wanted].toSorted());
        expect([subscriptions.size, clock.timerCount]).toEqual([wanted.size, 0]);
      }),
      { numRuns: 100 },
    );
  });
});
