import type { Buffer } from 'node:buffer';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect, errors, type Msg, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import type { Clock } from '../../core/ports/clock.js';
import type { LinkEngine } from '../link.js';
import type { SubscriptionEngine } from '../subscriptions.js';
import type { ServerEvidence } from './life-record.js';
import type { ResolvedNatsOptions } from './nats-broker.options.js';
import type { NatsSubjects } from './nats-subjects.js';
import { StreamAccess } from './stream-access.js';

/** Size of a message without its publications, except in rare cases. */
const headBytes = 4_096;
/**
 * Older servers check the expected sequence of streams with several copies outside their consensus.
 */
const safeReplicasSince = [2, 9, 21] as const;

export interface EngineEvents {
  message(subject: string, message: Msg): void;
  /** The stream was replaced, and everything stored is gone. */
  streamLost(): void;
  /** Requests the stream from the server and evaluates the answer. */
  probe(): Promise<void>;
  failed(doing: string, error: unknown): void;
  lost(error: Error): void;
}

/** Subscriptions requested together. */
interface Asked {
  readonly refused: Error[];
  inForce: boolean;
}

/** One connection, from its opening to its loss. */
export class NatsEngine implements LinkEngine, SubscriptionEngine {
  readonly stream: StreamAccess;
  private connection: NatsConnection | undefined;
  private jsm: JetStreamManager | undefined;
  private readonly asking = new Set<Asked>();
  private readonly subscriptions = new Map<string, Subscription>();
  private closed = false;

  constructor(
    private readonly options: ResolvedNatsOptions,
    subjects: NatsSubjects,
    private readonly events: EngineEvents,
    private readonly clock: Clock,
  ) {
    this.stream = new StreamAccess(
      () => this.api,
      options,
      subjects,
      clock,
      () => events.streamLost(),
    );
  }

  /** Identifies the incarnation of the stream. */
  get streamId(): string {
    return this.stream.incarnation;
  }

  /** The server of the connection. */
  get server(): ServerEvidence {
    const { info } = this.connected;
    if (info === undefined) throw new Error('NATS is away.');
    const { server_name: name, server_id: id, cluster } = info;
    return { name, id, clustered: cluster !== undefined, copies: this.stream.copies };
  }

  /** Largest message that the server accepts, in bytes. */
  get maxPayloadBytes(): number {
    return Math.min(this.connection?.info?.max_payload ?? 1_048_576, this.stream.maxMessageBytes);
  }

  /** Bytes of publications that fit into one message, besides its head. */
  get roomBytes(): number {
    return Math.max(256, this.maxPayloadBytes - headBytes);
  }

  async open(): Promise<void> {
    const connection = await connect(this.options.connection).catch((error: unknown) => {
      throw explained(error);
    });
    if (this.closed) {
      await connection.close();
      return;
    }
    this.connection = connection;
    void connection.closed().then((error) => {
      this.events.lost(error instanceof Error ? error : new Error('The connection to NATS was closed.'));
    });
    void this.listen(connection);
    const { domain, replicas = 1 } = this.options.stream;
    // Longer than the deadline of any call, which `Deadlines` enforces.
    this.jsm = await jetstreamManager(connection, {
      checkAPI: false,
      timeout: this.options.callTimeoutMs + 500,
      ...(domain !== undefined && { domain }),
    });
    this.checkReplicas(replicas);
    await this.stream.open();
    this.checkReplicas(this.stream.copies);
  }

  /** Requests the stream from the server, which also shows whether it is still the same. */
  probe(): Promise<void> {
    return this.events.probe();
  }

  /** Reports a store that misbehaves; a new connection may find it working again. */
  fail(error: Error): void {
    this.events.lost(error);
  }

  close(): void {
    this.closed = true;
    const { connection } = this;
    if (connection === undefined || connection.isClosed()) return;
    void connection.close().catch(() => {});
    // A stalled server accepts no final message, so close the socket after a short wait.
    const { protocol } = connection as unknown as {
      protocol?: { transport?: { close(error: Error): Promise<void> } };
    };
    setTimeout(() => {
      if (!connection.isClosed()) protocol?.transport?.close(new Error('closed')).catch(() => {});
    }, 250).unref();
  }

  async subscribe(subjects: readonly string[]): Promise<void> {
    const asked: Asked = { refused: [], inForce: false };
    this.asking.add(asked);
    const added = subjects.filter((subject) => !this.subscriptions.has(subject));
    for (const subject of added) this.subscribeOne(subject, asked);
    try {
      // The server answers after it has processed all subscriptions, and reports errors one tick
      // later.
      await this.connected.flush();
      await new Promise<void>((resolve) => {
        this.clock.soon(resolve);
      });
    } finally {
      this.asking.delete(asked);
    }
    const [refused] = asked.refused;
    if (refused !== undefined) {
      await this.unsubscribe(added);
      throw refused;
    }
    asked.inForce = true;
  }

  private subscribeOne(subject: string, asked: Asked): void {
    const subscription = this.connected.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) return this.events.message(subject, message);
        if (this.subscriptions.get(subject) !== subscription) return;
        this.subscriptions.delete(subject);
        // Readers rely on this subscription, so end the connection: everything is subscribed and
        // compared again.
        if (asked.inForce) this.events.lost(new Error(`NATS ended a subscription: ${error.message}`));
        else asked.refused.push(error);
      },
    });
    this.subscriptions.set(subject, subscription);
  }

  async unsubscribe(subjects: readonly string[]): Promise<void> {
    for (const subject of subjects) {
      this.subscriptions.get(subject)?.unsubscribe();
      this.subscriptions.delete(subject);
    }
  }

  /** Sends to all subscribers and waits until the server has the message. */
  async send(subject: string, payload: Buffer): Promise<void> {
    this.sendWithoutWaiting(subject, payload);
    await this.connected.flush();
  }

  /** Sends to all subscribers without waiting. */
  sendWithoutWaiting(subject: string, payload: Buffer): void {
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

  /** The server does not say what an error is about, unless a permission is missing. */
  private complained(error: Error): void {
    this.events.failed('using NATS', error);
    if (error instanceof errors.PermissionViolationError) return;
    for (const { refused } of this.asking) refused.push(error);
    if (this.asking.size === 0) this.events.lost(error);
  }

  private checkReplicas(replicas: number): void {
    const { version = '0' } = this.connected.info ?? {};
    if (replicas === 1 || isAtLeast(version, safeReplicasSince)) return;
    const words =
      `nats-server ${version} loses acknowledged publications where a stream has ${String(replicas)} copies and ` +
      'several instances publish. Use 2.9.21 or newer, or one copy.';
    if (!this.options.dangerouslyAllowUnsafeReplicas) throw new Error(words);
    this.events.failed('using several copies (dangerouslyAllowUnsafeReplicas)', new Error(words));
  }

  /** Handles errors that the server reports by itself, such as a missing permission. */
  private async listen(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === 'error') this.complained(status.error);
      // The server announces lame duck mode before it shuts down.
      if (status.type === 'ldm') this.events.lost(new Error('The NATS server is shutting down.'));
    }
  }
}

/** A server at its connection limit closes new connections without an answer. */
function explained(error: unknown): unknown {
  const { code, message } = error as Partial<NodeJS.ErrnoException>;
  if (code !== 'EPIPE' && code !== 'ECONNRESET' && !/EPIPE|ECONNRESET/.test(message ?? '')) return error;
  return new Error(
    `The NATS server closed the connection at once, perhaps because "max_connections" is reached: ${message ?? ''}`,
    { cause: error },
  );
}

function isAtLeast(version: string, minimum: readonly number[]): boolean {
  const parts = version.split(/[.-]/).map(Number);
  for (const [i, wanted] of minimum.entries()) {
    const part = parts[i] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}
