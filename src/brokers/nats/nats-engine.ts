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

/** What a message says beside its publications, at most in all but rare cases. */
const headBytes = 4_096;
/** Before it, servers check the expected sequence outside their consensus where there are several copies. */
const safeReplicasSince = [2, 9, 21] as const;

export interface EngineEvents {
  message(subject: string, message: Msg): void;
  /** The stream is another one than before: all that was stored is gone. */
  streamLost(): void;
  /** Asks the server for the stream, and acts on what it says. */
  probe(): Promise<void>;
  failed(doing: string, error: unknown): void;
  lost(error: Error): void;
}

/** Subscriptions that were asked for together. */
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

  /** Which making of the stream this is. */
  get streamId(): string {
    return this.stream.incarnation;
  }

  /** The server at the other end. */
  get server(): ServerEvidence {
    const { info } = this.connected;
    if (info === undefined) throw new Error('NATS is away.');
    const { server_name: name, server_id: id, cluster } = info;
    return { name, id, clustered: cluster !== undefined, copies: this.stream.copies };
  }

  /** Largest message that the server takes, in bytes. */
  get maxPayloadBytes(): number {
    return Math.min(this.connection?.info?.max_payload ?? 1_048_576, this.stream.maxMessageBytes);
  }

  /** Bytes of publications that fit into one message, beside what it says of its topic. */
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
    // Later than any call's own deadline, which is kept elsewhere.
    this.jsm = await jetstreamManager(connection, {
      checkAPI: false,
      timeout: this.options.callTimeoutMs + 500,
      ...(domain !== undefined && { domain }),
    });
    this.checkReplicas(replicas);
    await this.stream.open();
    this.checkReplicas(this.stream.copies);
  }

  /** Asks for the stream: that goes over the wire, through the server, and says whether it is still the same. */
  probe(): Promise<void> {
    return this.events.probe();
  }

  /** The store does not do what it should: another connection may find that it does again. */
  fail(error: Error): void {
    this.events.lost(error);
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
    const asked: Asked = { refused: [], inForce: false };
    this.asking.add(asked);
    const added = subjects.filter((subject) => !this.subscriptions.has(subject));
    for (const subject of added) this.subscribeOne(subject, asked);
    try {
      // The answer comes after the server has seen all of it, and what it complains of a turn later.
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
        // Whoever counts on it must hear that it is over: everything is subscribed and compared again.
        if (asked.inForce) this.events.lost(new Error(`NATS has ended a subscription: ${error.message}`));
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

  /** The server says nothing of what its complaint is about, unless a right is missing. */
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
      'several instances publish. It needs 2.9.21 or newer, or one copy.';
    if (!this.options.dangerouslyAllowUnsafeReplicas) throw new Error(words);
    this.events.failed('using several copies, as dangerouslyAllowUnsafeReplicas says', new Error(words));
  }

  /** What the server complains of without being asked: a right that is missing, for example. */
  private async listen(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === 'error') this.complained(status.error);
      // It asks its clients to go elsewhere before it ends.
      if (status.type === 'ldm') this.events.lost(new Error('The NATS server is about to end.'));
    }
  }
}

/** A server that takes no more connections closes them without an answer to a peer that is still writing. */
function explained(error: unknown): unknown {
  const { code, message } = error as Partial<NodeJS.ErrnoException>;
  if (code !== 'EPIPE' && code !== 'ECONNRESET' && !/EPIPE|ECONNRESET/.test(message ?? '')) return error;
  return new Error(
    `The NATS server ended the connection at once, as it does when it has "max_connections": ${message ?? ''}`,
    { cause: error },
  );
}

function isAtLeast(version: string, least: readonly number[]): boolean {
  const parts = version.split(/[.-]/).map(Number);
  for (const [i, wanted] of least.entries()) {
    const part = parts[i] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}
