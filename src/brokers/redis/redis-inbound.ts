import type { Buffer } from 'node:buffer';
import { type BrokerSink, maxSignalBytes, silentSink } from '../../core/ports/broker.js';
import { readRedisEnvelope } from './redis-envelope.js';

/** Version and space before a signal's text. */
export const signalHead = '1 ';

/** Room for the head and the key of an envelope, besides the data. */
const envelopeBytes = 1_024;

/**
 * Reads the messages of our channels, where others may also write. Junk is counted and never
 * throws.
 */
export class RedisInbound {
  junkTotal = 0;
  sink: BrokerSink = silentSink;

  constructor(
    private readonly topics: { topicOf(channel: string): string | undefined },
    private readonly signals: string,
    private readonly maxPublicationBytes: number,
  ) {}

  message(channel: string, bytes: Buffer): void {
    if (channel === this.signals) return this.signal(bytes);
    const topic = this.topics.topicOf(channel);
    // A lingering subscription has no reader.
    if (topic === undefined) return;
    const envelope =
      bytes.length > this.maxPublicationBytes + envelopeBytes ? undefined : readRedisEnvelope(bytes);
    if (envelope === undefined) this.junkTotal += 1;
    else this.sink.publication(topic, envelope.epoch, envelope.publication);
  }

  private signal(bytes: Buffer): void {
    const text = bytes.length > maxSignalBytes + signalHead.length ? '' : bytes.toString('utf8');
    if (text.startsWith(signalHead)) this.sink.signal(text.slice(signalHead.length));
    else this.junkTotal += 1;
  }
}
