import { describe, expect, it } from 'vitest';
import { MemoryBroker } from '../../src/brokers/memory/memory-broker.js';
import { eachBrokerCheck } from '../../src/testing/each-broker-check.js';
import { TestClock } from '../../src/testing/test-clock.js';
import { MemoryEngine } from './memory-engine.js';

describe('MemoryBroker keeps the contract of the broker port', () => {
  eachBrokerCheck(it, {
    open: () => {
      const clock = new TestClock();
      return {
        broker: new MemoryBroker({}, clock),
        pass: (ms) => clock.advance(ms),
        close: () => expect(clock.timerCount).toBe(0),
      };
    },
    without: ['another', 'loseStreams', 'restart', 'junk'],
  });
});

describe('Several instances on one memory broker keep the contract of the broker port', () => {
  eachBrokerCheck(it, { open: () => new MemoryEngine().open() });
});

describe('eachBrokerCheck', () => {
  it('eachBrokerCheck fails if an engine does not declare what it cannot do', async () => {
    const failures: string[] = [];
    const running: Promise<void>[] = [];
    eachBrokerCheck(
      (_title, run) => running.push(run().catch((error: Error) => void failures.push(error.message))),
      {
        open: () => ({ broker: new MemoryBroker({}, new TestClock()), close() {} }),
      },
    );
    await Promise.all(running);
    expect(failures).toContain(
      'open() returned no "restart"; add it to "without" if the engine cannot do this',
    );
  });
});
