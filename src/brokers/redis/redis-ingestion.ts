import type { Cancel, Clock } from '../../core/ports/clock.js';
import { BrokerClock } from '../broker-clock.js';
import { type InboundEntry, type InboundPublication, readEntry } from './ingest-entry.js';
import { publishInLanes } from './ingest-lanes.js';
import { blockMs, type DeadLetter, IngestSession } from './ingest-session.js';
import {
  resolveIngestOptions,
  type RedisIngestionOptions,
  type ResolvedIngestOptions,
} from './redis-ingestion.options.js';

/** Milliseconds between two looks whether the stream is free to be read. */
const standbyMs = 1_000;
/** Milliseconds of pauses after which a reader that cannot publish lets another instance try. */
const giveUpMs = 10_000;
/** Milliseconds that a stop waits for what is in hand. */
const closeTimeoutMs = 5_000;

/** What was done since the start. */
export interface IngestStats {
  /** Whether this instance is the one that reads. */
  readonly active: boolean;
  readonly publishedTotal: number;
  /** Entries that stored nothing: read a second time, or a `version` or `id` that came before. */
  readonly suppressedTotal: number;
  readonly deadLettersTotal: number;
  readonly retriesTotal: number;
}

/**
 * Publishes what anybody adds to a Redis Stream: `XADD live:in * topic fleet/7 data '{"speed":42}'`. An entry leaves the
 * stream only once its publication was accepted, and is published once although a reader may die in between, as long as
 * another one goes on within five minutes. Of several instances one reads at a time, so that entries of one topic are
 * published in their order.
 *
 * @publicApi
 */
export class RedisIngestion {
  private readonly options: ResolvedIngestOptions;
  private readonly totals = { published: 0, suppressed: 0, deadLetters: 0, retries: 0 };
  private session: IngestSession | undefined;
  private token = '';
  private sessions = 0;
  private active = false;
  private stopping = false;
  private running: Promise<void> | undefined;
  private readonly sleepers = new Set<() => void>();

  /**
   * @param clock time, for tests
   * @throws Error that names the option, and never shows an address
   */
  constructor(
    options: RedisIngestionOptions,
    private readonly clock: Clock = new BrokerClock(),
  ) {
    this.options = resolveIngestOptions(options);
  }

  /** Goes on until `close`, whatever happens: what goes wrong is told to `onError`, and tried again. */
  start(): void {
    if (this.stopping) throw new Error('This RedisIngestion is closed.');
    this.running ??= this.run();
  }

  stats(): IngestStats {
    const { published, suppressed, deadLetters, retries } = this.totals;
    return {
      active: this.active,
      publishedTotal: published,
      suppressedTotal: suppressed,
      deadLettersTotal: deadLetters,
      retriesTotal: retries,
    };
  }

  /** Reads no more, finishes what is in hand, and lets another instance go on. At most 5 seconds. */
  async close(): Promise<void> {
    this.stopping = true;
    for (const wake of this.sleepers) wake();
    let cancel: Cancel = () => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.clock.after(closeTimeoutMs, resolve);
    });
    await Promise.race([this.running, late]);
    cancel();
    this.session?.close();
  }

  private async run(): Promise<void> {
    for (let failures = 0; !this.stopping; failures++) {
      try {
        await this.read(() => {
          failures = 0;
        });
      } catch (error) {
        if (!this.stopping) this.options.onError('ingesting from Redis', error);
      }
      await this.pause(Math.min(1_000, 50 * 2 ** failures));
    }
  }

  /** One connection's life. What it leaves unfinished, the next one takes over, here or elsewhere. */
  private async read(reading: () => void): Promise<void> {
    const { connections } = this.options;
    const connection = connections[this.sessions++ % connections.length];
    const session = new IngestSession(this.options, this.clock, connection);
    this.session = session;
    try {
      await session.open();
      await this.becomeReader(session);
      if (this.stopping) return;
      reading();
      await this.finishEarlier(session);
      await this.readNew(session);
    } finally {
      if (this.active) await session.release().catch(() => {});
      this.active = false;
      session.close();
    }
  }

  private async becomeReader(session: IngestSession): Promise<void> {
    while (!this.stopping) {
      const takenMs = await session.acquire(this.token);
      if (takenMs === 0) {
        this.token = session.token;
        this.active = true;
        return;
      }
      await this.pause(Math.min(takenMs, standbyMs));
    }
  }

  private async finishEarlier(session: IngestSession): Promise<void> {
    let from = '0-0';
    do {
      const { entries, next } = await session.take(from);
      await this.handle(session, entries);
      from = next;
    } while (from !== '0-0' && !this.stopping);
  }

  private async readNew(session: IngestSession): Promise<void> {
    let woken = false;
    while (!this.stopping) {
      const { entries } = await session.take();
      if (entries.length > 0) {
        woken = false;
        await this.handle(session, entries);
        continue;
      }
      // Something is there that this group has read already: not ours, and not worth a busy loop.
      if (woken) await this.pause(blockMs);
      woken = await session.wait();
    }
  }

  /** Publishes a batch. What was decided leaves the stream also when something else of the batch was given up. */
  private async handle(session: IngestSession, entries: readonly InboundEntry[]): Promise<void> {
    const done: string[] = [];
    const deadLetters: DeadLetter[] = [];
    const right: [InboundEntry, InboundPublication][] = [];
    for (const entry of entries) {
      const read = readEntry(entry, this.options.maxPublicationBytes);
      if (typeof read === 'string') deadLetters.push({ entry, reason: read });
      else right.push([entry, read]);
    }
    const ports = {
      publish: this.options.publish,
      keep: () => session.keep(),
      pause: (ms: number) => this.pause(ms),
      retrying: this.retrying,
    };
    try {
      await publishInLanes(right, ports, (entry, outcome) => {
        if (typeof outcome === 'object') {
          deadLetters.push({ entry, reason: outcome.reason });
          return;
        }
        this.totals[outcome] += 1;
        done.push(entry.id);
      });
    } finally {
      await session.settle(done, deadLetters);
      this.totals.deadLetters += deadLetters.length;
      for (const { entry, reason } of deadLetters) this.options.onDeadLetter(entry.id, reason);
    }
  }

  private readonly retrying = (error: unknown, pausedMs: number): void => {
    if (this.stopping || pausedMs >= giveUpMs) throw error;
    this.totals.retries += 1;
    this.options.onError('publishing what was ingested', error);
  };

  /** Ends early when this is closed. */
  private pause(ms: number): Promise<void> {
    if (this.stopping) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel();
        this.sleepers.delete(wake);
        resolve();
      };
      const cancel = this.clock.after(ms, wake);
      this.sleepers.add(wake);
    });
  }
}
