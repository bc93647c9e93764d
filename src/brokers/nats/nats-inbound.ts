import { Buffer } from 'node:buffer';
import type { Msg } from '@nats-io/transport-node';
import { type BrokerSink, silentSink } from '../../core/ports/broker.js';
import type { NatsSubjects } from './nats-subjects.js';
import type { StoreLife } from './store-life.js';
import { type Content, decode } from './stored-message.js';
import type { TopicLog } from './topic-log.js';

/** Version and blank before a signal's text. */
export const signalHead = '1 ';

export interface InboundParts {
  readonly topics: { topicOf(subject: string): string | undefined };
  readonly subjects: NatsSubjects;
  readonly log: TopicLog;
  readonly life: StoreLife;
  readonly isAvailable: () => boolean;
  readonly instanceId: string;
  readonly giveWay: (token: string) => void;
  readonly failed: (doing: string, error: unknown) => void;
}

/** What comes in on our subjects, where others may write, too: junk is counted, never thrown. */
export class NatsInbound {
  junkTotal = 0;
  sink: BrokerSink = silentSink;
  private refreshing = false;

  constructor(private readonly parts: InboundParts) {}

  message(subject: string, message: Msg): void {
    const { subjects, topics } = this.parts;
    if (subject === subjects.signals) return this.signal(message.data);
    if (subject === subjects.turns) return this.turn(message.data);
    if (subject === subjects.lives) return this.refresh();
    const topic = topics.topicOf(subject);
    // It lingers: nobody reads it.
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
    const now = this.parts.life.record;
    if (now !== undefined && life > now.life) this.refresh();
    // Perhaps written by an instance that did not know of the present life: a reading says where it is in it.
    else if (now !== undefined && (this.refreshing || life < now.life)) return this.sink.suspect(topic);
    this.note(topic, content, message);
    for (const publication of publications) this.sink.publication(topic, epoch, publication);
    if (content.anew === true) this.sink.suspect(topic);
  }

  /** Then the next publication here knows what it comes after, and no store that lost this one is believed. */
  private note(topic: string, content: Content, { headers }: Msg): void {
    const { life, log, subjects } = this.parts;
    const seq = Number(headers?.get('Nats-Sequence'));
    const stream = life.record?.stream;
    // As it mostly is, where it was published here.
    if (stream === undefined || !(seq > 0) || log.isKnown(topic, stream, seq)) return;
    // Of another making of the stream, its number would mean nothing.
    if (headers?.get('Nats-Subject') !== subjects.inlet(stream, topic)) return;
    log.note(topic, { ...content, stream, seq });
  }

  /** Somebody wrote down a new life, or says so: what the stream says is true. */
  private refresh(): void {
    // A new connection looks at it before it is used.
    if (this.refreshing || !this.parts.isAvailable()) return;
    this.refreshing = true;
    this.parts.life
      .refresh()
      .catch((error: unknown) => this.parts.failed('reading the life of the store', error))
      .finally(() => {
        this.refreshing = false;
      });
  }

  private turn(data: Uint8Array): void {
    const [head = '', id, token] = textOf(data).split(' ');
    if (head !== '1' || id === undefined || token === undefined) this.junkTotal += 1;
    else if (id !== this.parts.instanceId) this.parts.giveWay(token);
  }

  private signal(data: Uint8Array): void {
    const text = textOf(data);
    if (text.startsWith(signalHead)) this.sink.signal(text.slice(signalHead.length));
    else this.junkTotal += 1;
  }
}

function textOf(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8');
}
