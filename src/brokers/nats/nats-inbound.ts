import { Buffer } from 'node:buffer';
import type { Msg } from '@nats-io/transport-node';
import type { BrokerSink } from '../../core/ports/broker.js';
import { readSignal } from '../signal-text.js';
import type { NatsSubjects } from './nats-subjects.js';
import type { StoreLife } from './store-life.js';
import { type Content, decode } from './stored-message.js';
import type { TopicLog } from './topic-log.js';

export interface InboundParts {
  readonly connection: {
    readonly available: boolean;
    readonly sink: BrokerSink;
    readonly subscriptions: { topicOf(subject: string): string | undefined };
  };
  readonly subjects: NatsSubjects;
  readonly log: TopicLog;
  readonly life: StoreLife;
  readonly instanceId: string;
  readonly giveWay: (token: string) => void;
  readonly failed: (doing: string, error: unknown) => void;
}

/**
 * Reads the messages of our subjects, where others may also write. Junk is counted and never
 * throws.
 */
export class NatsInbound {
  junkTotal = 0;
  private refreshing = false;

  constructor(private readonly parts: InboundParts) {}

  message(subject: string, message: Msg): void {
    const { connection, subjects } = this.parts;
    if (subject === subjects.signals) return this.signal(message.data);
    if (subject === subjects.turns) return this.yieldTurn(message.data);
    if (subject === subjects.lives) return this.refresh();
    const topic = connection.subscriptions.topicOf(subject);
    // A lingering subscription has no reader.
    if (topic === undefined) return;
    const content = decode(message.data);
    if (content === undefined) {
      this.junkTotal += 1;
      return;
    }
    this.publications(topic, content, message);
  }

  private publications(topic: string, content: Content, message: Msg): void {
    const { life, epoch, publications } = content;
    const { sink } = this.parts.connection;
    const now = this.parts.life.record;
    if (now !== undefined && life > now.life) this.refresh();
    // The publisher may not have known the current life, so readers must compare their position.
    else if (now !== undefined && (this.refreshing || life < now.life)) return sink.suspect(topic);
    this.note(topic, content, message);
    for (const publication of publications) sink.publication(topic, epoch, publication);
    if (content.anew === true) sink.suspect(topic);
  }

  /**
   * Records the head, so that the next publication here knows its predecessor and a rollback of the
   * store is noticed.
   */
  private note(topic: string, content: Content, { headers }: Msg): void {
    const { life, log, subjects } = this.parts;
    const seq = Number(headers?.get('Nats-Sequence'));
    const stream = life.record?.stream;
    if (stream === undefined || !(seq > 0)) return;
    const id = headers?.get('Nats-Msg-Id') ?? '';
    if (id !== '') log.firsts.set(id, { epoch: content.epoch, offset: content.top });
    // Usually true for publications of this instance.
    if (log.isKnown(topic, stream, seq)) return;
    // A sequence of another stream incarnation would be meaningless.
    if (headers?.get('Nats-Subject') !== subjects.inlet(stream, topic)) return;
    log.note(topic, { ...content, stream, seq });
  }

  /** Another instance reports a new life; the record in the stream is authoritative. */
  private refresh(): void {
    const { connection, life, failed } = this.parts;
    life.announced();
    // A new connection reads the record again before it is used.
    if (this.refreshing || !connection.available) return;
    this.refreshing = true;
    life
      .refresh()
      .catch((error: unknown) => failed('reading the life of the store', error))
      .finally(() => {
        this.refreshing = false;
      });
  }

  private yieldTurn(data: Uint8Array): void {
    const [head = '', id, token] = textOf(data).split(' ');
    if (head !== '1' || id === undefined || token === undefined) this.junkTotal += 1;
    else if (id !== this.parts.instanceId) this.parts.giveWay(token);
  }

  private signal(data: Uint8Array): void {
    const text = readSignal(data);
    if (text === undefined) this.junkTotal += 1;
    else this.parts.connection.sink.signal(text);
  }
}

function textOf(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8');
}
