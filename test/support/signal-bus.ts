import type { MemoryBroker } from '../../src/brokers/memory/memory-broker.js';
import type { Broker, BrokerSink } from '../../src/core/ports/broker.js';
import { Random } from '../../src/testing/sim/random.js';
import type { TestClock } from '../../src/testing/test-clock.js';

/** What happens to signals on their way. */
export interface BusWeather {
  /** Fraction of the signals lost, separately for each listener. */
  readonly loss: number;
  /** Fraction of the signals delivered twice. */
  readonly twice: number;
  /** Maximum delay in milliseconds. Delayed signals overtake each other. */
  readonly delayMs: number;
}

export const fairWeather: BusWeather = { loss: 0, twice: 0, delayMs: 1 };

/** One instance's end of the bus. */
export interface BusEnd {
  /** Whether signals pass in both directions. The instance does not notice a change. */
  connected: boolean;
  /** Cuts or restores the connection and notifies the instance. */
  setAvailable(available: boolean): void;
}

/**
 * An in-process engine for many instances. It loses, delays, repeats and reorders signals by a
 * seed.
 */
export class SignalBus {
  weather = fairWeather;
  /** The signals that were sent. */
  readonly texts: string[] = [];
  private readonly random: Random;
  private readonly ends: { readonly end: BusEnd; sink: BrokerSink | undefined }[] = [];

  constructor(
    private readonly clock: TestClock,
    seed = 1,
  ) {
    this.random = new Random(seed);
  }

  /** The broker of one instance: its own streams, shared signals. */
  join(memory: MemoryBroker): { broker: Broker; end: BusEnd } {
    let available = true;
    const end: BusEnd = {
      connected: true,
      setAvailable: (is) => {
        available = is;
        end.connected = is;
        each.sink?.availability(is);
      },
    };
    const each: { end: BusEnd; sink: BrokerSink | undefined } = { end, sink: undefined };
    this.ends.push(each);
    const broker: Broker = {
      get available() {
        return available;
      },
      start: (sink) => {
        each.sink = sink;
        memory.start(sink);
      },
      publish: (...call) => memory.publish(...call),
      subscribe: (topic) => memory.subscribe(topic),
      unsubscribe: (topic) => memory.unsubscribe(topic),
      read: (...call) => memory.read(...call),
      tops: (topics) => memory.tops(topics),
      latest: (topic) => memory.latest(topic),
      signal: async (text) => this.carry(text, end),
      close: () => memory.close(),
    };
    return { broker, end };
  }

  /** The types of the signals that were sent. */
  get sent(): string[] {
    return this.texts.map((text) => String((JSON.parse(text) as { type: unknown }).type));
  }

  /** Sends a signal to every instance, as any client of the engine can. */
  shout(text: string): void {
    for (const { end, sink } of this.ends) if (end.connected) sink?.signal(text);
  }

  private carry(text: string, from: BusEnd): void {
    if (!from.connected) throw new Error('The bus is away');
    this.texts.push(text);
    for (const to of this.ends) {
      const { loss, twice, delayMs } = this.weather;
      if (this.random.chance(loss)) continue;
      const times = this.random.chance(twice) ? 2 : 1;
      for (let i = 0; i < times; i++) {
        this.clock.after(this.random.next() * delayMs, () => {
          if (to.end.connected) to.sink?.signal(text);
        });
      }
    }
  }
}
