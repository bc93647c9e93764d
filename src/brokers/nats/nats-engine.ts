import type { Buffer } from 'node:buffer';
import { type JetStreamManager, jetstreamManager, type StreamInfo } from '@nats-io/jetstream';
import { connect, type Msg, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import type { Clock } from '../../core/ports/clock.js';
import type { LinkEngine } from '../link.js';
import type { SubscriptionEngine } from '../subscriptions.js';
import type { ServerEvidence } from './life-record.js';
import type { ResolvedNatsOptions } from './nats-broker.options.js';
import type { NatsSubjects } from './nats-subjects.js';
import { StreamAccess } from './stream-access.js';

export interface EngineEvents {
  message(subject: string, message: Msg): void;
  /** The stream is another one than before: all that was stored is gone. */
  streamLost(): void;
  /** What the server says of the stream every so often. */
  probed(info: StreamInfo): Promise<void>;
  failed(doing: string, error: unknown): void;
  lost(error: Error): void;
}

/** One connection, from its opening to its loss. */
export class NatsEngine implements LinkEngine, SubscriptionEngine {
  readonly stream: StreamAccess;
  private connection: NatsConnection | undefined;
  private jsm: JetStreamManager | undefined;
  private readonly subscriptions = new Map<string, Subscription>();
  private closed = false;

  constructor(
    private readonly options: ResolvedNatsOptions,
    subjects: NatsSubjects,
    private readonly events: EngineEvents,
    clock: Clock,
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
    await this.stream.open();
  }

  /** Asks for the stream: that goes over the wire, through the server, and says whether it is still the same. */
  async probe(): Promise<void> {
    await this.events.probed(await this.stream.probe());
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

  /** What the server complains of without being asked: a right that is missing, for example. */
  private async listen(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === 'error') this.events.failed('using NATS', status.error);
      // It asks its clients to go elsewhere before it ends.
      if (status.type === 'ldm') this.events.lost(new Error('The NATS server is about to end.'));
    }
  }
}
