import type { Buffer } from 'node:buffer';
import { JetStreamApiError, type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect, type Msg, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import type { Cancel, Clock } from '../../core/ports/clock.js';
import type { LinkEngine } from '../link.js';
import type { SubscriptionEngine } from '../subscriptions.js';
import type { ResolvedNatsOptions } from './nats-broker.options.js';
import { currentIncarnation, ensureStream, isStreamNotFound } from './nats-stream.js';
import type { NatsSubjects } from './nats-subjects.js';

/** What the server says to a publication that comes too late. */
const wrongLastSequence = 10_071;

/** Milliseconds of silence after which a stream may not be there. */
const silenceMs = 200;

interface FoundMessage {
  readonly subject: string;
  readonly seq: number;
  readonly time: Date;
  readonly data: Uint8Array;
}

/** A message as the stream has it. */
export interface RawMessage {
  /** Which making of the stream it is in. */
  readonly stream: string;
  readonly subject: string;
  readonly seq: number;
  readonly atMs: number;
  readonly data: Uint8Array;
}

/** What became of an append. */
export type Appended = { readonly seq: number } | { readonly duplicateOf: number } | 'overtaken';

export interface EngineEvents {
  message(subject: string, message: Msg): void;
  /** The stream is another one than before: all that was stored is gone. */
  streamLost(): void;
  failed(doing: string, error: unknown): void;
  lost(error: Error): void;
}

/** One connection, from its opening to its loss. */
export class NatsEngine implements LinkEngine, SubscriptionEngine {
  private connection: NatsConnection | undefined;
  private jsm: JetStreamManager | undefined;
  private incarnation = '';
  private renewing: Promise<void> | undefined;
  private readonly subscriptions = new Map<string, Subscription>();
  private closed = false;

  constructor(
    private readonly options: ResolvedNatsOptions,
    private readonly subjects: NatsSubjects,
    private readonly events: EngineEvents,
    private readonly clock: Clock,
  ) {}

  /** Which making of the stream this is. */
  get streamId(): string {
    return this.incarnation;
  }

  /** Largest message that the server takes, in bytes. */
  get maxPayloadBytes(): number {
    return this.connected.info?.max_payload ?? 1_048_576;
  }

  async open(): Promise<void> {
    const connection = await connect(this.options.connection);
    if (this.closed) {
      await connection.close();
      return;
    }
    this.connection = connection;
    void connection.closed().then((error) => {
      this.events.lost(error instanceof Error ? error : new Error('The connection to NATS was closed.'));
    });
    void this.listen(connection);
    // Later than any call's own deadline, which is kept elsewhere.
    this.jsm = await jetstreamManager(connection, {
      checkAPI: false,
      timeout: this.options.callTimeoutMs + 500,
    });
    this.incarnation = await ensureStream(this.jsm, this.subjects, this.options.stream);
  }

  /** Asks for the stream: that goes over the wire, through the server, and says whether it is still the same. */
  async probe(): Promise<void> {
    const now = await currentIncarnation(this.api, this.subjects, this.options.stream);
    if (now !== this.incarnation) await this.renew();
  }

  close(): void {
    this.closed = true;
    const { connection } = this;
    if (connection === undefined || connection.isClosed()) return;
    void connection.close().catch(() => {});
    // A server that stands still takes no last word; the socket must not wait for it.
    const { protocol } = connection as unknown as {
      protocol?: { transport?: { close(error: Error): Promise<void> } };
    };
    setTimeout(() => {
      if (!connection.isClosed()) protocol?.transport?.close(new Error('closed')).catch(() => {});
    }, 250).unref();
  }

  async subscribe(subjects: readonly string[]): Promise<void> {
    const refused: unknown[] = [];
    for (const subject of subjects) {
      if (this.subscriptions.has(subject)) continue;
      const subscription = this.connected.subscribe(subject, {
        callback: (error, message) => {
          if (error === null) this.events.message(subject, message);
          else if (this.subscriptions.delete(subject)) refused.push(error);
        },
      });
      this.subscriptions.set(subject, subscription);
    }
    // The answer comes after the server has seen all of it.
    await this.connected.flush();
    if (refused.length > 0) throw refused[0];
  }

  async unsubscribe(subjects: readonly string[]): Promise<void> {
    for (const subject of subjects) {
      this.subscriptions.get(subject)?.unsubscribe();
      this.subscriptions.delete(subject);
    }
  }

  /** The topic's last message, as the leader of the stream has it, and which making of the stream was asked. */
  last(topic: string): Promise<{ readonly stream: string; readonly message: RawMessage | undefined }> {
    return this.onStream(async () => {
      const stream = this.incarnation;
      const query = { last_by_subj: this.subjects.inlet(stream, topic) };
      const message = await this.leaderMessage(query);
      return { stream, message: message === null ? undefined : raw(stream, message) };
    });
  }

  /** The message with this number; `undefined` when it is no longer there. */
  async get(seq: number): Promise<RawMessage | undefined> {
    const { name, replicas } = this.options.stream;
    const stream = this.incarnation;
    // Any copy of the stream answers that, and one that lags does not have the newest.
    const direct = await this.api.direct.getMessage(name, { seq });
    if (direct !== null) return raw(stream, direct);
    const message = replicas === 1 ? null : await this.api.streams.getMessage(name, { seq });
    return message === null ? undefined : raw(stream, message);
  }

  /**
   * Appends to the topic if its last message still is the one with the number `after` in this making of the stream; else
   * it was overtaken, by another publication or by the loss of the stream.
   */
  async append(
    { stream, after }: { readonly stream: string; readonly after: number },
    topic: string,
    payload: Buffer,
    id?: string,
  ): Promise<Appended> {
    try {
      const ack = await this.api.jetstream().publish(this.subjects.inlet(stream, topic), payload, {
        expect: { lastSubjectSequence: after },
        ...(id !== undefined && { msgID: id }),
      });
      return ack.duplicate ? { duplicateOf: ack.seq } : { seq: ack.seq };
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === wrongLastSequence) return 'overtaken';
      if (!isStreamGone(error)) throw error;
      if (stream === this.incarnation) await this.renew();
      return 'overtaken';
    }
  }

  /** Keeps a message for the topic's snapshots; returns its number. */
  async keep(stream: string, topic: string, payload: Buffer): Promise<number> {
    return (await this.api.jetstream().publish(this.subjects.keep(stream, topic), payload)).seq;
  }

  /** Forgets what was kept for the topic's snapshots before the message with this number. */
  async forgetKept(stream: string, topic: string, before: number): Promise<void> {
    const filter = this.subjects.keep(stream, topic);
    await this.api.streams.purge(this.options.stream.name, { filter, seq: before });
  }

  /** Sends to everybody, and waits until the server has it. */
  async send(subject: string, payload: Buffer): Promise<void> {
    this.tell(subject, payload);
    await this.connected.flush();
  }

  /** Sends to everybody, and does not wait. */
  tell(subject: string, payload: Buffer): void {
    this.connected.publish(subject, payload);
  }

  private get connected(): NatsConnection {
    if (this.connection === undefined || this.connection.isClosed()) throw new Error('NATS is away.');
    return this.connection;
  }

  private get api(): JetStreamManager {
    if (this.jsm === undefined || this.connected === undefined) throw new Error('NATS is away.');
    return this.jsm;
  }

  /**
   * Where there is one copy only, it is asked directly, which costs the server least; but nobody answers where there is no
   * stream, and the server's other way says that at once.
   */
  private async leaderMessage(query: { readonly last_by_subj: string }): Promise<FoundMessage | null> {
    const { name, replicas } = this.options.stream;
    const { direct, streams } = this.api;
    if (replicas > 1) return streams.getMessage(name, query);
    let cancel: Cancel = () => {};
    const late = new Promise<FoundMessage | null>((resolve, reject) => {
      cancel = this.clock.after(silenceMs, () => void streams.getMessage(name, query).then(resolve, reject));
    });
    try {
      return await Promise.race([direct.getMessage(name, query), late]);
    } finally {
      cancel();
    }
  }

  /** Runs what needs the stream, and once more where the stream was gone. */
  private async onStream<T>(run: () => Promise<T>): Promise<T> {
    const { incarnation } = this;
    try {
      return await run();
    } catch (error) {
      if (!isStreamGone(error)) throw error;
      if (incarnation === this.incarnation) await this.renew();
      return run();
    }
  }

  private renew(): Promise<void> {
    this.renewing ??= (async () => {
      try {
        const before = this.incarnation;
        this.incarnation = await ensureStream(this.api, this.subjects, this.options.stream);
        if (before !== this.incarnation) this.events.streamLost();
      } finally {
        this.renewing = undefined;
      }
    })();
    return this.renewing;
  }

  /** What the server complains of without being asked: a right that is missing, for example. */
  private async listen(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === 'error') this.events.failed('using NATS', status.error);
      // It asks its clients to go elsewhere before it ends.
      if (status.type === 'ldm') this.events.lost(new Error('The NATS server is about to end.'));
    }
  }
}

function raw(stream: string, { subject, seq, time, data }: FoundMessage): RawMessage {
  return { stream, subject, seq, atMs: time.getTime(), data };
}

/** Nobody takes publications of that subject, or the stream's name is unknown. */
function isStreamGone(error: unknown): boolean {
  if (isStreamNotFound(error)) return true;
  const cause =
    error instanceof Error ? (error.cause as { isNoResponders?: () => boolean } | undefined) : undefined;
  return cause?.isNoResponders?.() === true;
}
