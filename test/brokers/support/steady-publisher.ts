import type { Broker } from '../../../src/core/ports/broker.js';
import type { Acknowledged } from './broker-reader.js';
import { sleep } from './waiting.js';

const history = { size: 100_000, ttlMs: 600_000, maxBytes: 100_000_000 };

/** Publishes about 1,000 numbered messages a second, and records those acknowledged. */
export class SteadyPublisher {
  private static count = 0;
  readonly acknowledged: Acknowledged[] = [];
  refused = 0;
  private next = 1;
  /** Prefix of the data, so that no two publishers publish the same. */
  private readonly name = (SteadyPublisher.count += 1);
  private running = true;
  private readonly open = new Set<Promise<void>>();
  private readonly done: Promise<void>;

  constructor(
    private readonly broker: Broker,
    private readonly topics: readonly string[],
  ) {
    this.done = this.run();
  }

  async stop(): Promise<void> {
    this.running = false;
    await this.done;
    await Promise.all(this.open);
  }

  private async run(): Promise<void> {
    while (this.running) {
      for (let i = 0; i < 5; i++) this.publish();
      await sleep(5);
    }
  }

  private publish(): void {
    const number = this.next++;
    const [topic = '', data] = [
      this.topics[number % this.topics.length],
      `${String(this.name)}.${String(number)}`,
    ];
    const call = this.broker
      .publish(topic, data, { history })
      .then(
        ({ epoch, offset }) => void this.acknowledged.push({ topic, data, epoch, offset }),
        () => void (this.refused += 1),
      )
      .finally(() => this.open.delete(call));
    this.open.add(call);
  }
}
