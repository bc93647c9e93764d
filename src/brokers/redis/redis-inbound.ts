import type { Buffer } from 'node:buffer';
import type { BrokerSink } from '../../core/ports/broker.js';
import { readSignal } from '../signal-text.js';
import { readRedisEnvelope } from './redis-envelope.js';

/** Room for the head and the key of an envelope, besides the data. */
const envelopeBytes = 1_024;

/**
 * Reads the messages of our channels, where others may also write. Junk is counted and never
 * throws.
 */
export class RedisInbound {
  junkTotal = 0;

  constructor(
    private readonly connection: {
      readonly sink: BrokerSink;
      readonly subscriptions: { topicOf(channel: string): string | undefined };
    },
    private readonly signals: string,
    private readonly maxPublicationBytes: number,
  ) {}

  message(channel: string, bytes: Buffer): void {
    if (channel === this.signals) return this.signal(bytes);
    const topic = this.connection.subscriptions.topicOf(channel);
    // A lingering subscription has no reader.
    if (topic === undefined) return;
    const envelope =
      bytes.length > this.maxPublicationBytes + envelopeBytes ? undefined : readRedisEnvelope(bytes);
    if (envelope === undefined) this.junkTotal += 1;
    else this.connection.sink.publication(topic, envelope.epoch, envelope.publication);
  }

  private signal(bytes: Buffer): void {
    const text = readSignal(bytes);
    if (text === undefined) this.junkTotal += 1;
    else this.connection.sink.signal(text);
  }
}
