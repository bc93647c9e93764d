import { setTimeout as sleep } from 'node:timers/promises';
import { LiveTestClient } from '../../../src/testing/index.js';
import { answer } from './ask.js';

/** Pause between two requests. */
const pauseMs = Number(process.env['BYSTANDER_MS'] ?? 10);

/** A well-behaved client next to the abuse: it reads a stream and sends requests now and then. */
class Bystander {
  /** Round trips since the last report. */
  roundTripsMs: number[] = [];
  private closed: unknown;

  private constructor(
    private readonly client: LiveTestClient,
    private readonly start: number,
  ) {
    void client.closed.then((how) => (this.closed = how));
    void this.ask();
  }

  static async at(url: string): Promise<Bystander> {
    const client = await LiveTestClient.connect(url, { token: 'bystander', timeoutMs: 15_000 });
    const { offset } = await client.request({ type: 'subscribe', id: 'stream', topic: 'open/stream' });
    return new Bystander(client, offset as number);
  }

  /** What has arrived of the stream. */
  report() {
    const offsets = this.client.transcript
      .filter(({ type }) => type === 'event')
      .map(({ offset }) => offset as number);
    const gaps = offsets.filter((offset, i) => offset !== this.start + 1 + i).length;
    return { events: offsets.length, gaps, last: offsets.at(-1), closed: this.closed };
  }

  private async ask(): Promise<void> {
    for (let id = 0; this.closed === undefined; id++) {
      const since = performance.now();
      await this.client.request({ type: 'ping', id }).catch(() => {});
      this.roundTripsMs.push(performance.now() - since);
      await sleep(pauseMs);
    }
  }
}

const bystanders: Bystander[] = [];

const handlers = {
  connect: async (urls: readonly string[]) => {
    bystanders.push(...(await Promise.all(urls.map((url) => Bystander.at(url)))));
  },
  /**
   * Times since the last report, and the whole stream. Waits for a request behind all that arrived.
   */
  report: async () => {
    const counts = bystanders.map(({ roundTripsMs }) => roundTripsMs.length);
    while (
      bystanders.some(
        (one, i) => one.roundTripsMs.length < (counts[i] ?? 0) + 2 && one.report().closed === undefined,
      )
    )
      await sleep(5);
    const sorted = bystanders.flatMap(({ roundTripsMs }) => roundTripsMs).toSorted((a, b) => a - b);
    for (const bystander of bystanders) bystander.roundTripsMs = [];
    const at = (share: number): number =>
      Math.round((sorted[Math.floor(sorted.length * share)] ?? 0) * 10) / 10;
    const reports = bystanders.map((bystander) => bystander.report());
    return { reports, requests: sorted.length, p50: at(0.5), p99: at(0.99), max: at(0.999_999) };
  },
};
export type Bystanders = typeof handlers;

answer(handlers);
