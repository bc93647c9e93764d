import type { Buffer } from 'node:buffer';
import {
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  type StreamInfo,
} from '@nats-io/jetstream';
import type { Cancel, Clock } from '../../core/ports/clock.js';
import type { ResolvedNatsOptions } from './nats-broker.options.js';
import {
  ensureStream,
  findStream,
  isStreamNotFound,
  type StreamThere,
  waitForRemoval,
} from './nats-stream.js';
import type { NatsSubjects } from './nats-subjects.js';
import { type FoundMessage, type LastMessage, raw, type RawMessage } from './raw-message.js';

/** The server's error code for an outdated expected sequence. */
const wrongLastSequence = 10_071;

/** Milliseconds without an answer after which the stream may be missing. */
const silenceMs = 200;

/** The result of an append. */
export type Appended = { readonly seq: number } | { readonly duplicateOf: number } | 'overtaken';

/** The JetStream stream on one connection. */
export class StreamAccess {
  private there: StreamThere | undefined;
  // Shared by all publications, because creating one processes all options again.
  private client: JetStreamClient | undefined;
  private renewing: Promise<void> | undefined;

  constructor(
    private readonly jsm: () => JetStreamManager,
    private readonly options: ResolvedNatsOptions,
    private readonly subjects: NatsSubjects,
    private readonly clock: Clock,
    /** The stream was replaced, and everything stored is gone. */
    private readonly lost: () => void,
  ) {}

  /** The stream's incarnation. */
  get incarnation(): string {
    return this.there?.incarnation ?? '';
  }

  /** Number of servers that hold a copy. */
  get copies(): number {
    return this.there?.info.config.num_replicas ?? 1;
  }

  /** Messages kept per topic. */
  get messagesPerTopic(): number {
    const { max_msgs_per_subject: kept } = this.info.config;
    return kept > 0 ? kept : Number.MAX_SAFE_INTEGER;
  }

  /** Largest message that the stream accepts, in bytes. */
  get maxMessageBytes(): number {
    const { max_msg_size: bytes } = this.info.config;
    return bytes > 0 ? bytes : Number.MAX_SAFE_INTEGER;
  }

  /** Finds or creates the stream. */
  async open(): Promise<void> {
    const { stream, onNotice } = this.options;
    this.client = this.jsm().jetstream();
    this.there = await ensureStream(this.jsm(), this.subjects, stream, onNotice);
  }

  /** The stream's state on the server; if the stream was lost, that of its replacement. */
  async probe(): Promise<StreamInfo> {
    const now = await findStream(this.jsm(), this.subjects, this.options.stream);
    if (now === undefined || now.incarnation !== this.incarnation) await this.renew();
    else this.there = now;
    return this.info;
  }

  /** The stream's last known state. */
  get info(): StreamInfo {
    if (this.there === undefined) throw new Error('NATS is away.');
    return this.there.info;
  }

  /** The topic's last message, as the stream's leader has it. */
  last(topic: string): Promise<LastMessage> {
    return this.lastOf((stream) => this.subjects.inlet(stream, topic));
  }

  /** The last record of the store's life. */
  lastLife(): Promise<LastMessage> {
    return this.lastOf((stream) => this.subjects.life(stream));
  }

  /** The message with this sequence; `undefined` if it is gone. */
  async get(seq: number): Promise<RawMessage | undefined> {
    const { name } = this.options.stream;
    const stream = this.incarnation;
    // Any copy of the stream may answer, and one that lags lacks the newest messages.
    const direct = this.isDirect ? await this.jsm().direct.getMessage(name, { seq }) : null;
    if (direct !== null) return raw(stream, direct);
    const message =
      this.isDirect && this.copies === 1 ? null : await this.jsm().streams.getMessage(name, { seq });
    return message === null ? undefined : raw(stream, message);
  }

  /** Whether a message belongs to the topic; a store that was rolled back reuses sequences. */
  isOf(topic: string, { stream, subject }: RawMessage): boolean {
    return subject === this.subjects.inlet(stream, topic) || subject === this.subjects.keep(stream, topic);
  }

  /**
   * Appends to the topic if `after` is still the sequence of its last message in this incarnation
   * of the stream. Otherwise it was overtaken by another publication, or the stream was lost.
   */
  append(stream: string, after: number, topic: string, payload: Buffer, id?: string): Promise<Appended> {
    return this.appendTo(this.subjects.inlet(stream, topic), stream, after, payload, id);
  }

  /** The same for a record of the store's life. */
  appendLife(stream: string, after: number, payload: Buffer): Promise<Appended> {
    return this.appendTo(this.subjects.life(stream), stream, after, payload);
  }

  /** Stores a message for the topic's snapshots; returns its sequence. */
  async keep(stream: string, topic: string, payload: Buffer): Promise<number> {
    return (await this.publisher.publish(this.subjects.keep(stream, topic), payload)).seq;
  }

  /** Deletes messages stored for the topic's snapshots before this sequence. */
  async forgetKept(stream: string, topic: string, before: number): Promise<void> {
    const filter = this.subjects.keep(stream, topic);
    await this.jsm().streams.purge(this.options.stream.name, { filter, seq: before });
  }

  private async appendTo(
    subject: string,
    stream: string,
    after: number,
    payload: Buffer,
    id?: string,
  ): Promise<Appended> {
    try {
      const ack = await this.publisher.publish(subject, payload, {
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

  private get publisher(): JetStreamClient {
    if (this.client === undefined) throw new Error('NATS is away.');
    return this.client;
  }

  /** Whether reads may go to any copy of the stream. */
  private get isDirect(): boolean {
    return this.info.config.allow_direct;
  }

  private lastOf(subjectIn: (stream: string) => string): Promise<LastMessage> {
    return this.onStream(async () => {
      const stream = this.incarnation;
      const message = await this.leaderMessage({ last_by_subj: subjectIn(stream) });
      return { stream, message: message === null ? undefined : raw(stream, message) };
    });
  }

  /**
   * With a single copy, a direct read costs the server least. But it goes unanswered if the stream
   * is missing, which the regular read reports at once.
   */
  private async leaderMessage(query: { readonly last_by_subj: string }): Promise<FoundMessage | null> {
    const { name } = this.options.stream;
    const { direct, streams } = this.jsm();
    if (this.copies > 1 || !this.isDirect) return streams.getMessage(name, query);
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

  /** Runs work that needs the stream, and repeats it once if the stream was gone. */
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
        await waitForRemoval(this.jsm(), this.subjects, this.options.stream, this.clock);
        await this.open();
        if (before !== this.incarnation) this.lost();
      } finally {
        this.renewing = undefined;
      }
    })();
    return this.renewing;
  }
}

/** Whether no stream stores the subject, or the stream's name is unknown. */
function isStreamGone(error: unknown): boolean {
  if (isStreamNotFound(error)) return true;
  const cause =
    error instanceof Error ? (error.cause as { isNoResponders?: () => boolean } | undefined) : undefined;
  return cause?.isNoResponders?.() === true;
}
