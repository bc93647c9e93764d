import { Injectable } from '@nestjs/common';
import { Live, type LiveStats } from '../core/live.js';
import type { Published } from '../core/ports/broker.js';
import { LiveServer } from './live.server.js';

export interface PublishOptions {
  /** What the publication is about, for example a vehicle's id: 1 to 128 characters. */
  readonly key?: string;
  /**
   * Names this publication for a publisher that tries again: 1 to 128 characters. The same one on the same topic within
   * five minutes publishes nothing; the answer has the position of the first and `suppressed: 'duplicate'`.
   */
  readonly idempotencyKey?: string;
  /**
   * An integer that grows with the state that is published, for publishers that may overtake each other. One that is not
   * greater than the topic's greatest publishes nothing; the answer has the topic's end and `suppressed: 'stale'`.
   */
  readonly version?: number;
}

/**
 * The application's way to its live clients.
 *
 * @publicApi
 */
@Injectable()
export class LiveService {
  constructor(
    private readonly live: Live,
    private readonly server: LiveServer,
  ) {}

  /**
   * Publishes a JSON value to every subscriber of the topic. No right is asked: this is the application itself.
   *
   * @returns the publication's position, once the broker has accepted it, and whether it was suppressed
   * @throws LiveError `validation-failed` when `topic` is no topic name or declared by no `@LiveTopic`, `data` has no JSON
   * text, or an option is out of its bounds; `unavailable` when the broker cannot take it
   */
  publish(topic: string, data: unknown, options: PublishOptions = {}): Promise<Published> {
    return this.live.publish(topic, data, options);
  }

  /** What the live server of this instance is doing now. */
  stats(): LiveStats {
    return this.live.stats();
  }

  /**
   * Where sockets connect, for example `ws://127.0.0.1:8081/live`; tells the port that was taken for `port: 0`.
   *
   * @throws Error before the server listens
   */
  url(): string {
    return this.server.url();
  }
}
