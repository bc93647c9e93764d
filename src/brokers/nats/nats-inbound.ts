import { Buffer } from 'node:buffer';
import type { Msg } from '@nats-io/transport-node';
import { type BrokerSink, silentSink } from '../../core/ports/broker.js';
import type { Heads } from './heads.js';
import type { NatsSubjects } from './nats-subjects.js';
import { type Content, decode } from './stored-message.js';

/** Version and blank before a signal's text. */
export const signalHead = '1 ';

/** What comes in on our subjects, where others may write, too: junk is counted, never thrown. */
export class NatsInbound {
  junkTotal = 0;
  sink: BrokerSink = silentSink;

  constructor(
    private readonly topics: { topicOf(subject: string): string | undefined },
    private readonly subjects: NatsSubjects,
    private readonly heads: Heads,
    private readonly instanceId: string,
    private readonly giveWay: (token: string) => void,
  ) {}

  message(subject: string, message: Msg): void {
    if (subject === this.subjects.signals) return this.signal(message.data);
    if (subject === this.subjects.turns) return this.turn(message.data);
    const topic = this.topics.topicOf(subject);
    // It lingers: nobody reads it.
    if (topic === undefined) return;
    const content = decode(message.data);
    if (content === undefined) {
      this.junkTotal += 1;
      return;
    }
    const { epoch, publications } = content;
    // Only where this instance publishes, too: then its next publication knows what it comes after.
    const known = this.heads.get(topic);
    if (known !== undefined) this.note(topic, known.stream, content, message);
    for (const publication of publications) this.sink.publication(topic, epoch, publication);
    if (content.anew === true) this.sink.suspect(topic);
  }

  private note(topic: string, stream: string, content: Content, { headers }: Msg): void {
    const seq = Number(headers?.get('Nats-Sequence'));
    // Of another making of the stream, its number would mean nothing.
    if (seq > 0 && headers?.get('Nats-Subject') === this.subjects.inlet(stream, topic))
      this.heads.note(topic, { ...content, stream, seq });
  }

  private turn(data: Uint8Array): void {
    const [head = '', id, token] = textOf(data).split(' ');
    if (head !== '1' || id === undefined || token === undefined) this.junkTotal += 1;
    else if (id !== this.instanceId) this.giveWay(token);
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
