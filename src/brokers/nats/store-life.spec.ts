import { describe, expect, it } from 'vitest';
import { TestClock } from '../../testing/test-clock.js';
import type { LifeRecord } from './life-record.js';
import type { NatsEngine } from './nats-engine.js';
import { StoreLife } from './store-life.js';
import { decodeLife, encodeLife } from './stored-life.js';
import type { LastMessage, RawMessage } from './raw-message.js';

/** A stream that answers at once, or when the test lets it. */
class FakeStream {
  incarnation = 'one';
  last = 0;
  copies = 1;
  life: RawMessage | undefined;
  readonly lives: number[] = [];
  /** Acknowledges messages and stores none. */
  isBroken = false;
  /** Runs after the server has composed its answer to a probe, and before the answer arrives. */
  inFlight: () => void = () => {};

  get info() {
    const state = { last_seq: this.last, first_seq: 1, bytes: 0, messages: this.last };
    return { state, config: { max_bytes: 0, max_msgs: 0, max_age: 0 } };
  }

  async probe() {
    const { info } = this;
    this.inFlight();
    return this.incarnation === 'one' ? info : this.info;
  }

  /** Runs after the server has composed its answer about the record, and before it arrives. */
  recordInFlight: () => void = () => {};

  async lastLife(): Promise<LastMessage> {
    const answer = { stream: this.incarnation, message: this.isBroken ? undefined : this.life };
    await undefined;
    this.recordInFlight();
    return answer;
  }

  /** Another instance begins a new era. */
  beginEra(epoch: string): void {
    const { life } = this;
    const content = life && decodeLife(life.data);
    if (content === undefined) throw new Error('There is no record');
    void this.appendLife(this.incarnation, 0, encodeLife({ ...content, epoch }));
  }

  async appendLife(stream: string, _after: number, data: Uint8Array) {
    this.last += 1;
    this.life = { stream, subject: 'life', seq: this.last, atMs: 0, data };
    this.lives.push(decodeLife(data)?.life ?? 0);
    return { seq: this.last };
  }
}

async function opened(copies = 1) {
  const stream = new FakeStream();
  stream.copies = copies;
  const failures: string[] = [];
  const engine = {
    stream,
    fail: (error: Error) => failures.push(error.message),
    get streamId() {
      return stream.incarnation;
    },
    server: { name: 'n1', id: 'N1', clustered: copies > 1, copies },
  } as unknown as NatsEngine;
  const life = new StoreLife(() => engine, new TestClock(), { changed: () => {} });
  await life.opened(engine);
  await life.probe(engine);
  /** A publication of this instance is stored. */
  const store = (): void => {
    stream.last += 1;
    life.saw(stream.incarnation, stream.last);
  };
  return { stream, life, failures, store, probe: () => life.probe(engine) };
}

describe('The life of a NATS store', () => {
  it('messages stored while the answer to a probe is in flight start no new life', async () => {
    const { stream, life, store, probe } = await opened();
    const { record } = life;
    for (let i = 0; i < 5; i++) {
      store();
      stream.inFlight = store;
      await probe();
    }
    expect([life.record, stream.lives.length]).toEqual([record, 1]);
  });

  it.each([
    [1, [2]],
    [3, [1, 2]],
  ])(
    'a stream with %i copies that is shorter than before the probe starts a new life',
    async (copies, lives) => {
      const { stream, life, store, probe } = await opened(copies);
      for (let i = 0; i < 5; i++) store();
      stream.last -= 3;
      for (const expected of lives) {
        await probe();
        expect(stream.lives).toHaveLength(expected);
      }
      expect(life.record?.life).toBe(stream.lives[1]);
      await probe();
      expect(stream.lives).toHaveLength(2);
    },
  );

  it('a record reported while an earlier one is being read is read as well', async () => {
    const { stream, life } = await opened();
    stream.recordInFlight = () => {
      stream.recordInFlight = () => {};
      stream.beginEra('laterEra');
      life.announced();
    };
    expect(await life.refresh()).toMatchObject({ epoch: 'laterEra' });
  });

  it('a refresh does not use a read that began before it', async () => {
    const { stream, life } = await opened();
    let second: Promise<LifeRecord> | undefined;
    stream.recordInFlight = () => {
      stream.recordInFlight = () => {};
      stream.beginEra('laterEra');
      second = life.refresh();
    };
    await life.refresh();
    expect(await second).toMatchObject({ epoch: 'laterEra' });
  });

  it('a record reported while the connection opens is read by the first probe', async () => {
    const { stream, life, probe } = await opened();
    stream.beginEra('laterEra');
    life.announced();
    await probe();
    expect(life.record?.epoch).toBe('laterEra');
  });

  it('a store that acknowledges messages but keeps none is given up instead of written to repeatedly', async () => {
    const { stream, life, failures } = await opened();
    const record = await life.current();
    stream.isBroken = true;
    await expect(life.renew(record)).rejects.toThrow('NATS acknowledges messages but stores none');
    expect([stream.lives.length, failures.length, life.record]).toEqual([2, 1, record]);
  });

  it('a stream recreated during a probe starts a single life', async () => {
    const { stream, life, store, probe } = await opened();
    for (let i = 0; i < 5; i++) store();
    stream.inFlight = () => {
      [stream.incarnation, stream.last, stream.life] = ['two', 0, undefined];
      stream.inFlight = () => {};
    };
    await probe();
    await probe();
    expect([life.record?.stream, life.record?.seq, stream.lives.length]).toEqual(['two', 1, 2]);
  });
});
