import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { createClient, RESP_TYPES, type RedisClientOptions } from '@redis/client';
import type { Clock } from '../../core/ports/clock.js';
import { deadLetterFields, type InboundEntry } from './ingest-entry.js';
import { acquireScript, createScript, keepScript, releaseScript, takeScript } from './ingest-scripts.js';
import type { ResolvedIngestOptions } from './redis-ingestion.options.js';

type Client = ReturnType<typeof createClient>;

/** Milliseconds that a blocking read waits, and so the longest delay of a stop. */
export const blockMs = 500;

export interface TakeOptions {
  /** Cursor for taking over unfinished entries, such as '0-0'. @default new entries are read */
  readonly from?: string;
  /** Whether to check for lost entries if there are no new ones. */
  readonly look?: boolean;
}

export interface Taken {
  readonly entries: readonly InboundEntry[];
  /** Cursor for the next take-over. */
  readonly next: string;
  /** Entries removed before they were published. */
  readonly lost: number;
  /** Entries in the stream that the group never gets. */
  readonly unreachable: number;
}

export interface DeadLetter {
  readonly entry: InboundEntry;
  readonly reason: string;
}

type TakeAnswer = readonly [
  next?: Buffer,
  entries?: readonly (readonly [Buffer, readonly Buffer[]] | null)[],
  lost?: number,
  unreachable?: number,
  newestId?: Buffer,
];

/**
 * A reader of the stream during one connection. Every call rejects in time; after a failure the
 * session is not used again.
 */
export class IngestSession {
  /** Identifies this session in the lease. */
  readonly token = randomUUID();
  private readonly client: Client;
  private readonly lease: string;
  private readonly accounted: string;
  private keptMs = 0;
  /** Every entry up to this id was delivered to the group, or never will be. */
  private givenId = '0-0';
  private keeping: Promise<void> | undefined;

  constructor(
    private readonly options: ResolvedIngestOptions,
    private readonly clock: Clock,
    connection: RedisClientOptions | undefined,
  ) {
    // RESP2 returns the same arrays for every command and version.
    this.client = createClient({ ...connection, RESP: 2 }) as unknown as Client;
    // Without a listener an error would be thrown; waiting calls get it anyway.
    this.client.on('error', () => {});
    this.lease = `${options.stream}:lease`;
    this.accounted = `${options.stream}:accounted`;
  }

  /** Rejects if the server cannot be reached or does not support ingestion. */
  async open(): Promise<void> {
    const { openTimeoutMs, stream, group } = this.options;
    await this.inTime(openTimeoutMs, this.client.connect());
    const info = String(await this.send(['INFO', 'server']));
    if (/^redis_mode:cluster\r?$/m.test(info))
      throw new Error('The stream for ingestion must be on one Redis server, not on a cluster.');
    // Starts at the first entry, so entries that precede the first reader are not lost.
    await this.eval(createScript, [stream, this.accounted], [group]);
  }

  /**
   * Becomes the single reader and resolves to 0, or resolves to the milliseconds left of another
   * reader's lease.
   */
  async acquire(earlierToken: string): Promise<number> {
    const nowMs = this.clock.now();
    const { leaseMs } = this.options;
    const answer = await this.eval(acquireScript, [this.lease], [this.token, earlierToken, String(leaseMs)]);
    this.keptMs = nowMs;
    return Number(answer);
  }

  /** Whether no other reader can have taken over by now. */
  get isReader(): boolean {
    return this.clock.now() - this.keptMs < this.options.leaseMs;
  }

  /** Ensures that this is still the single reader; rejects otherwise. */
  async keep(): Promise<void> {
    const { leaseMs } = this.options;
    if (this.clock.now() - this.keptMs < leaseMs / 3) return;
    this.keeping ??= this.renew(leaseMs).finally(() => {
      this.keeping = undefined;
    });
    await this.keeping;
  }

  async take({ from = '', look = false }: TakeOptions): Promise<Taken> {
    const { stream, group, consumer, batchSize, leaseMs } = this.options;
    const nowMs = this.clock.now();
    const answer = (await this.eval(
      takeScript,
      [stream, this.lease, this.accounted],
      [this.token, String(leaseMs), group, consumer, String(batchSize), from, look ? '1' : ''],
    )) as TakeAnswer;
    const [next, taken = [], lost = 0, unreachable = 0, newestId] = answer;
    if (next === undefined) throw leaseLost();
    this.keptMs = nowMs;
    // Redis 6.2 returns null for a deleted entry.
    const entries = taken.flatMap((entry) => (entry ? [inboundEntry(entry)] : []));
    if (from === '') this.givenId = newestId?.toString() ?? entries.at(-1)?.id ?? this.givenId;
    return { next: next.toString(), entries, lost, unreachable };
  }

  /** Waits up to half a second for a new entry; resolves to whether there is one. */
  async wait(): Promise<boolean> {
    const command = ['XREAD', 'COUNT', '1', 'BLOCK', String(blockMs), 'STREAMS', this.options.stream];
    return (await this.send([...command, this.givenId], blockMs)) !== null;
  }

  /** Removes entries from the stream and stores the dead letters, in one step. */
  async settle(ids: readonly string[], deadLetters: readonly DeadLetter[]): Promise<void> {
    const { stream, group, maxDeadLetters, callTimeoutMs } = this.options;
    const all = [...ids, ...deadLetters.map(({ entry }) => entry.id)];
    if (all.length === 0) return;
    const multi = this.client.multi();
    for (const { entry, reason } of deadLetters) {
      const fields = deadLetterFields(entry, reason);
      multi.addCommand(['XADD', `${stream}:dead`, 'MAXLEN', String(maxDeadLetters), '*', ...fields]);
    }
    multi.addCommand(['XACK', stream, group, ...all]).addCommand(['XDEL', stream, ...all]);
    await this.inTime(callTimeoutMs, multi.exec());
  }

  /** Lets another instance take over at once. */
  async release(): Promise<void> {
    await this.eval(releaseScript, [this.lease], [this.token]);
  }

  close(): void {
    this.client.destroy();
  }

  private async renew(leaseMs: number): Promise<void> {
    const nowMs = this.clock.now();
    if (Number(await this.eval(keepScript, [this.lease], [this.token, String(leaseMs)])) !== 1)
      throw leaseLost();
    this.keptMs = nowMs;
  }

  private eval(lua: string, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return this.send(['EVAL', lua, String(keys.length), ...keys, ...args]);
  }

  private send(command: readonly string[], blockedMs = 0): Promise<unknown> {
    const sent = this.client.sendCommand([...command], { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } });
    return this.inTime(this.options.callTimeoutMs + blockedMs, sent);
  }

  private inTime<T>(ms: number, work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = this.clock.after(ms, () => {
        reject(new Error(`Redis did not answer within ${String(ms)} ms.`));
      });
      work.then(resolve, reject).finally(cancel);
    });
  }
}

function inboundEntry([id, values]: readonly [Buffer, readonly Buffer[]]): InboundEntry {
  const fields = new Map<string, Buffer>();
  for (let at = 0; at + 1 < values.length; at += 2) fields.set(String(values[at]), values[at + 1] as Buffer);
  return { id: id.toString(), fields };
}

function leaseLost(): Error {
  return new Error('Another instance has taken the stream over.');
}
