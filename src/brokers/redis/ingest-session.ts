import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { createClient, RESP_TYPES, type RedisClientOptions } from '@redis/client';
import type { Clock } from '../../core/ports/clock.js';
import { deadLetterFields, type InboundEntry } from './ingest-entry.js';
import { acquireScript, createScript, keepScript, releaseScript, takeScript } from './ingest-scripts.js';
import type { ResolvedIngestOptions } from './redis-ingestion.options.js';

type Client = ReturnType<typeof createClient>;

/** Milliseconds that one blocking read waits: a stop waits no longer for it. */
export const blockMs = 500;

export interface TakeOptions {
  /** Where to go on with what earlier readers did not finish, such as '0-0'. @default new entries are taken */
  readonly from?: string;
  /** Whether to look, where there is nothing new, at what was lost. */
  readonly look?: boolean;
}

export interface Taken {
  readonly entries: readonly InboundEntry[];
  /** Where to go on taking over. */
  readonly next: string;
  /** Entries that were gone before they were published. */
  readonly lost: number;
  /** Entries that are there and that the group is never given. */
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

/** One connection's life as a reader of the stream. Every call rejects in time; after that nothing of it is used again. */
export class IngestSession {
  /** Names this session in the lease. */
  readonly token = randomUUID();
  private readonly client: Client;
  private readonly lease: string;
  private readonly accounted: string;
  private keptMs = 0;
  /** Everything up to this id was given to the group, or never will be. */
  private givenId = '0-0';
  private keeping: Promise<void> | undefined;

  constructor(
    private readonly options: ResolvedIngestOptions,
    private readonly clock: Clock,
    connection: RedisClientOptions | undefined,
  ) {
    // RESP2: its arrays are the same in every command and every version.
    this.client = createClient({ ...connection, RESP: 2 }) as unknown as Client;
    // Without a listener an error would be thrown; whoever waits for an answer is told of it.
    this.client.on('error', () => {});
    this.lease = `${options.stream}:lease`;
    this.accounted = `${options.stream}:accounted`;
  }

  /** Rejects where the server is not there, or cannot do it. */
  async open(): Promise<void> {
    const { openTimeoutMs, stream, group } = this.options;
    await this.inTime(openTimeoutMs, this.client.connect());
    const info = String(await this.send(['INFO', 'server']));
    if (/^redis_mode:cluster\r?$/m.test(info))
      throw new Error('The stream for ingestion must be on one Redis server, not on a cluster.');
    // From the first entry on: what came before the first reader is not lost.
    await this.eval(createScript, [stream, this.accounted], [group]);
  }

  /** Becomes the one reader, and resolves to 0; or to the milliseconds that another one is it for. */
  async acquire(earlierToken: string): Promise<number> {
    const nowMs = this.clock.now();
    const { leaseMs } = this.options;
    const answer = await this.eval(acquireScript, [this.lease], [this.token, earlierToken, String(leaseMs)]);
    this.keptMs = nowMs;
    return Number(answer);
  }

  /** Whether no other one can have become the reader by now. */
  get isReader(): boolean {
    return this.clock.now() - this.keptMs < this.options.leaseMs;
  }

  /** Makes sure that this is still the one reader. Rejects where it is not. */
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
    // Redis 6.2 has null for an entry that was deleted.
    const entries = taken.flatMap((entry) => (entry ? [inboundEntry(entry)] : []));
    if (from === '') this.givenId = newestId?.toString() ?? entries.at(-1)?.id ?? this.givenId;
    return { next: next.toString(), entries, lost, unreachable };
  }

  /** Resolves to whether something came in behind what was given, within half a second. */
  async wait(): Promise<boolean> {
    const command = ['XREAD', 'COUNT', '1', 'BLOCK', String(blockMs), 'STREAMS', this.options.stream];
    return (await this.send([...command, this.givenId], blockMs)) !== null;
  }

  /** Takes entries out of the stream, and puts dead letters where they are kept: in one step. */
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

  /** Lets another instance read at once. */
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
