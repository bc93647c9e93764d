import type { Cancel, Clock } from '../../core/ports/clock.js';
import { SystemClock } from '../../clock/system-clock.js';
import { splitAddress } from './cluster-slots.js';
import { IngestReader, type IngestTotals } from './ingest-reader.js';
import { IngestSession } from './ingest-session.js';
import {
  resolveIngestOptions,
  type RedisIngestionOptions,
  type ResolvedIngestOptions,
} from './redis-ingestion.options.js';
import { RedisSentinels } from './redis-sentinels.js';

/** Milliseconds between attempts to become the reader. */
const standbyMs = 1_000;
/** Milliseconds that a stop waits for entries in progress. */
const closeTimeoutMs = 5_000;

/** Totals since the start. */
export interface IngestStats {
  /** Whether this instance is the reader. */
  readonly active: boolean;
  /** Entries published since the start. */
  readonly publishedTotal: number;
  /** Entries that stored nothing: read twice, or with a `version` or `id` already used. */
  readonly suppressedTotal: number;
  /** Entries moved to the dead letters since the start. */
  readonly deadLettersTotal: number;
  /** Attempts after a failure since the start. */
  readonly retriesTotal: number;
  /**
   * Entries that published nothing because their id was used within five minutes: the stream was
   * deleted in between.
   */
  readonly reusedTotal: number;
  /**
   * Entries trimmed or deleted before they were published; 0 with Redis 6.2, which does not count
   * them.
   */
  readonly lostTotal: number;
  /** Entries in the stream that precede the group's position (`$`), so it never gets them. */
  readonly unreachable: number;
}

/**
 * Publishes the entries of a Redis Stream: `XADD live:in * topic fleet/7 data '{"speed":42}'`. An
 * entry leaves the stream only once its publication was accepted. It is published once even if a
 * reader dies, provided another takes over within five minutes. One instance reads at a time, which
 * keeps the order of a topic.
 */
export class RedisIngestion {
  private readonly options: ResolvedIngestOptions;
  private readonly totals: IngestTotals = {
    published: 0,
    suppressed: 0,
    reused: 0,
    deadLetters: 0,
    retries: 0,
    lost: 0,
    unreachable: 0,
  };
  private session: IngestSession | undefined;
  private token = '';
  private sessions = 0;
  private active = false;
  private stopping = false;
  private running: Promise<void> | undefined;
  private readonly sleepers = new Set<() => void>();

  /**
   * @param clock - time, for tests
   * @throws Error that names the option, and never shows a URL
   */
  constructor(
    options: RedisIngestionOptions,
    private readonly clock: Clock = new SystemClock(),
  ) {
    this.options = resolveIngestOptions(options);
  }

  /** Runs until `close`. Errors go to `onError` and are retried. */
  start(): void {
    if (this.stopping) throw new Error('This RedisIngestion is closed.');
    this.running ??= this.run();
  }

  /** Counts since the start, and what holds now. */
  stats(): IngestStats {
    const { published, suppressed, reused, deadLetters, retries, lost, unreachable } = this.totals;
    return {
      active: this.active,
      publishedTotal: published,
      suppressedTotal: suppressed,
      deadLettersTotal: deadLetters,
      retriesTotal: retries,
      reusedTotal: reused,
      lostTotal: lost,
      unreachable,
    };
  }

  /**
   * Stops reading, finishes entries in progress, and lets another instance take over. Takes at most
   * 5 seconds.
   */
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

  /**
   * Reads during one connection. The next reader, here or elsewhere, takes over unfinished entries.
   */
  private async read(reading: () => void): Promise<void> {
    const { sentinel, probeIntervalMs, onError } = this.options;
    const sentinels =
      sentinel && new RedisSentinels(sentinel, { moved: () => this.session?.close(), failed: onError });
    let cancel: Cancel = () => {};
    const check = (): void => {
      sentinels?.check();
      cancel = this.clock.after(probeIntervalMs, check);
    };
    try {
      const address = await this.server(sentinels);
      if (sentinels !== undefined) check();
      await this.readAt(address, reading);
    } finally {
      cancel();
      sentinels?.close();
    }
  }

  /** `host:port` of a server that may hold the stream. */
  private async server(sentinels: RedisSentinels | undefined): Promise<string> {
    const { seeds } = this.options;
    return sentinels === undefined ? (seeds[this.sessions++ % seeds.length] ?? '') : sentinels.master();
  }

  private async readAt(address: string, reading: () => void): Promise<void> {
    const session = new IngestSession(
      this.options,
      this.clock,
      this.options.clientOf(...splitAddress(address)),
    );
    this.session = session;
    try {
      await session.open();
      await this.becomeReader(session);
      if (this.stopping) return;
      reading();
      const ports = {
        clock: this.clock,
        pause: (ms: number) => this.pause(ms),
        isStopping: () => this.stopping,
      };
      await new IngestReader(session, this.options, this.totals, ports).run();
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

  /** Resolves early when the ingestion is closed. */
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
