import { describe, expect, it } from 'vitest';
import { type BrokerSink, silentSink } from '../core/ports/broker.js';
import { TestClock } from '../testing/test-clock.js';
import { type ConnectedEngine, EngineConnection } from './engine-connection.js';

class FakeEngine implements ConnectedEngine {
  readonly subscribed: string[] = [];
  opens = true;
  open = async () => {
    if (!this.opens) await new Promise(() => {});
  };
  probe = async () => {};
  close = () => {};
  subscribe = async (channels: readonly string[]) => void this.subscribed.push(...channels);
  unsubscribe = async () => {};
}

const options = {
  openTimeoutMs: 6_000,
  probeIntervalMs: 2_000,
  probeTimeoutMs: 2_000,
  callTimeoutMs: 3_000,
  maxWaitingCalls: 2,
  maxWaitingBytes: 1_000,
  lingerMs: 5_000,
};

class FakeConnection extends EngineConnection<FakeEngine> {
  readonly made = new FakeEngine();
  lose: (error: Error) => void = () => {};

  constructor(clock: TestClock, errors: string[]) {
    const onError = (doing: string): void => void errors.push(doing);
    super(clock, { engine: 'Redis', broker: 'RedisBroker' }, { ...options, onError });
  }

  protected make(lost: (error: Error) => void): FakeEngine {
    this.lose = lost;
    return this.made;
  }

  protected channels(): readonly string[] {
    return ['signals'];
  }
}

function start({ opens = true } = {}) {
  const clock = new TestClock();
  const log: string[] = [];
  const errors: string[] = [];
  const sink: BrokerSink = {
    ...silentSink,
    suspect: () => log.push('suspect'),
    availability: (available) => log.push(available ? 'available' : 'away'),
  };
  const connection = new FakeConnection(clock, errors);
  connection.made.opens = opens;
  connection.start(sink);
  return { clock, connection, log, errors, sink };
}

/** A call that is answered when the test says so. */
function slowCall(connection: FakeConnection) {
  let answer = (_text: string): void => {};
  const result = connection.call(0, () => new Promise<string>((resolve) => (answer = resolve)));
  return { result, answer: (text: string) => answer(text) };
}

describe('EngineConnection', () => {
  it('a closing connection refuses new calls at once and finishes those in flight on its engine', async () => {
    const { clock, connection } = start();
    await clock.settle();
    const inFlight = slowCall(connection);
    const closing = connection.close();
    await expect(connection.call(0, async () => 'late')).rejects.toThrow('This RedisBroker is closed.');
    await expect(connection.ready()).rejects.toThrow('This RedisBroker is closed.');
    expect([connection.accepting, connection.engine]).toEqual([false, connection.made]);
    inFlight.answer('done');
    await closing;
    await expect(inFlight.result).resolves.toBe('done');
    expect(() => connection.engine).toThrow('This RedisBroker is closed.');
  });

  it('every caller of close waits for the calls in flight', async () => {
    const { clock, connection } = start();
    await clock.settle();
    const inFlight = slowCall(connection);
    const closed: string[] = [];
    const closing = [
      connection.close().then(() => closed.push('first')),
      connection.close().then(() => closed.push('second')),
    ];
    await clock.settle();
    expect(closed).toEqual([]);
    inFlight.answer('done');
    await Promise.all(closing);
    expect(closed).toEqual(['first', 'second']);
  });

  it('calls made before the first connection wait for it without keeping it from opening, up to a maximum', async () => {
    const { clock, connection } = start();
    const calls = ['a', 'b', 'c'].map((name) => connection.call(0, async () => name));
    const results = Promise.allSettled(calls);
    await clock.settle();
    expect((await results).map((each) => ('value' in each ? each.value : String(each.reason)))).toEqual([
      'a',
      'b',
      'Error: Too many calls to Redis are waiting for an answer.',
    ]);
  });

  it('a call that waits for the first connection is rejected when the connection is closed', async () => {
    const { connection } = start({ opens: false });
    const call = connection.call(0, async () => 'x');
    await connection.close();
    await expect(call).rejects.toThrow('This RedisBroker is closed.');
  });

  it('a loss is reported with the error, and the return after it raises suspicion', async () => {
    const { clock, connection, log, errors } = start();
    await clock.settle();
    connection.lose(new Error('cut'));
    expect(() => connection.engine).toThrow('Redis is away.');
    clock.advance(1_000);
    await clock.settle();
    expect([log, errors, connection.lossesTotal]).toEqual([
      ['available', 'away', 'suspect', 'available'],
      ['keeping the connection to Redis'],
      1,
    ]);
    expect(connection.made.subscribed).toEqual(['signals', 'signals']);
  });

  it('a connection can be started only once', () => {
    const { connection, sink } = start();
    expect(() => connection.start(sink)).toThrow('This RedisBroker has been started already');
  });
});
