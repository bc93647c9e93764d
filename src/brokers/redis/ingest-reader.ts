import type { Clock } from '../../core/ports/clock.js';
import { type InboundEntry, readEntry } from './ingest-entry.js';
import { IngestLanes, type Outcome } from './ingest-lanes.js';
import { blockMs, type DeadLetter, type IngestSession } from './ingest-session.js';
import type { ResolvedIngestOptions } from './redis-ingestion.options.js';

/** Limits of the batches and bytes in progress. */
const inHand = { batches: 10, bytes: 67_108_864 } as const;
/** Milliseconds between checks for lost and unreachable entries. */
const lookMs = 5_000;

export interface IngestTotals {
  published: number;
  suppressed: number;
  reused: number;
  deadLetters: number;
  retries: number;
  lost: number;
  /** A current count, not a total. */
  unreachable: number;
}

export interface ReaderPorts {
  readonly clock: Clock;
  /** Resolves early if the ingestion is closed. */
  pause(ms: number): Promise<void>;
  isStopping(): boolean;
}

interface InHand {
  readonly entry: InboundEntry;
  /** Read for the first time, not taken over from another reader. */
  readonly isFresh: boolean;
}

/**
 * Reads, publishes and settles entries during one connection. The next reader takes over unfinished
 * entries.
 */
export class IngestReader {
  private readonly lanes: IngestLanes<InHand>;
  private readonly done: string[] = [];
  private readonly deadLetters: DeadLetter[] = [];
  private settling: Promise<void> | undefined;
  private lookedMs = -Infinity;

  constructor(
    private readonly session: IngestSession,
    private readonly options: ResolvedIngestOptions,
    private readonly totals: IngestTotals,
    private readonly ports: ReaderPorts,
  ) {
    const { publish, onError, batchSize } = options;
    this.lanes = new IngestLanes(
      {
        publish,
        keep: () => session.keep(),
        pause: (ms) => ports.pause(ms),
        isStopping: () => ports.isStopping(),
        retrying: (error) => {
          totals.retries += 1;
          onError('publishing an ingested entry', error);
        },
        settled: (job, outcome, attempts) => this.decided(job, outcome, attempts),
      },
      { entries: inHand.batches * batchSize, bytes: inHand.bytes },
    );
  }

  /** Runs until the ingestion is closed. Rejects if another reader must take over. */
  async run(): Promise<void> {
    try {
      await this.finishEarlier();
      await this.readNew();
    } finally {
      await this.lanes.stop();
      await (this.settling ?? this.settle());
    }
  }

  private async finishEarlier(): Promise<void> {
    let from = '0-0';
    do {
      await this.lanes.room();
      const { entries, next, lost } = await this.session.take({ from });
      this.lost(lost);
      this.add(entries, false);
      from = next;
    } while (from !== '0-0' && !this.ports.isStopping());
  }

  private async readNew(): Promise<void> {
    let woken = false;
    while (!this.ports.isStopping()) {
      await this.lanes.room();
      const nowMs = this.ports.clock.now();
      const look = nowMs - this.lookedMs >= lookMs;
      const { entries, lost, unreachable } = await this.session.take({ look });
      if (entries.length > 0) {
        woken = false;
        this.add(entries, true);
        continue;
      }
      if (look) {
        this.lookedMs = nowMs;
        this.lost(lost);
        this.neverGiven(unreachable);
      }
      // There are entries that this group never gets; pause to avoid a busy loop.
      if (woken) await this.ports.pause(blockMs);
      woken = await this.session.wait();
    }
  }

  private add(entries: readonly InboundEntry[], isFresh: boolean): void {
    for (const entry of entries) {
      const read = readEntry(entry, this.options.maxPublicationBytes);
      if (typeof read === 'string') this.decided({ entry, isFresh }, { reason: read }, 0);
      else this.lanes.add({ entry, isFresh }, read);
    }
  }

  private decided({ entry, isFresh }: InHand, outcome: Outcome, attempts: number): void {
    if (typeof outcome === 'object') this.deadLetters.push({ entry, reason: outcome.reason });
    else {
      this.done.push(entry.id);
      if (outcome === 'published') this.totals.published += 1;
      else if (outcome === 'duplicate' && isFresh && attempts === 1 && this.isReused(entry))
        this.reused(entry);
      else this.totals.suppressed += 1;
    }
    this.settling ??= this.settle().finally(() => {
      this.settling = undefined;
    });
    this.settling.catch((error: unknown) => this.lanes.fail(error));
  }

  /**
   * Removes decided entries from the stream. Entries decided in the meantime share the next call.
   */
  private async settle(): Promise<void> {
    while (this.done.length + this.deadLetters.length > 0) {
      const letters = this.deadLetters.splice(0);
      await this.session.settle(this.done.splice(0), letters);
      this.totals.deadLetters += letters.length;
      for (const { entry, reason } of letters) this.options.onDeadLetter(entry.id, reason);
    }
  }

  /** Whether neither an earlier attempt nor another reader can have published the entry. */
  private isReused({ fields }: InboundEntry): boolean {
    return !fields.has('id') && this.session.isReader;
  }

  private reused({ id }: InboundEntry): void {
    this.totals.reused += 1;
    this.say(
      `${id} repeats the idempotency key of an entry published within five minutes, so it was not published`,
    );
  }

  private lost(count: number): void {
    if (count === 0) return;
    this.totals.lost += count;
    this.say(`${String(count)} entries were trimmed or deleted before they were published`);
  }

  private neverGiven(count: number): void {
    if (count > 0 && count !== this.totals.unreachable)
      this.say(
        `${String(count)} entries precede the position of the group "${this.options.group}" and will never be published; ` +
          'run XGROUP SETID … 0 to include them',
      );
    this.totals.unreachable = count;
  }

  private say(words: string): void {
    this.options.onError(`reading ${this.options.stream}`, new Error(words));
  }
}
