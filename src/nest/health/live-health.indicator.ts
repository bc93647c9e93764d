import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import type { DrainProgress } from '../../core/connection/drain.js';
import { ConnectionRegistry } from '../../core/ports/connection-registry.js';
import { Live } from '../../core/live.js';
import { eventLoopDelay, type EventLoopDelayReading } from '../server/event-loop-delay.js';
import { printable } from '../logging/printable.js';
import { LiveLifecycle, type LiveState } from '../server/live.lifecycle.js';

/** Details of both checks besides their status. */
export interface LiveHealthDetails extends Record<string, unknown> {
  /** Where the server is in its life cycle. */
  readonly state: LiveState;
  /** Whether `state` is `draining`. */
  readonly draining: boolean;
  /** What has become of the connections since the drain began; absent before it. */
  readonly drain?: DrainProgress;
  /** Whether the broker is available; without it clients can neither subscribe nor publish. */
  readonly brokerAvailable: boolean;
  /** Since when and why a reachable broker refuses publications; absent while it accepts them. */
  readonly publishingRefused?: {
    /** ISO 8601, in UTC. */
    readonly since: string;
    /** Names no topic and no address. */
    readonly reason: string;
  };
  /** Open connections to this instance. */
  readonly connections: number;
  /** Names of this instance and the other known ones on the same broker; at most 50. */
  readonly instances: readonly string[];
  /** Over the last 15 to 30 seconds, in milliseconds. */
  readonly eventLoopDelayMs: EventLoopDelayReading;
}

/** Options of `LiveHealthIndicator.live`. */
export interface LivenessOptions {
  /**
   * Reports down if the 99th percentile of the event loop's delay over the last 15 to 30 s exceeds
   * this, in milliseconds.
   *
   * @default no limit: a process that answers is alive, and a restart drops every connection
   */
  readonly maxEventLoopDelayMs?: number;
}

/** The result of a check under its key. */
export type LiveHealthResult<Key extends string> = HealthIndicatorResult<
  Key,
  'up' | 'down',
  LiveHealthDetails
>;

/**
 * The live server's health for terminus, as two questions: should this process be restarted
 * (`live`), and should new clients be sent to it (`ready`)? Each needs its own route:
 * `health.check([() => this.indicator.ready()])`.
 */
@Injectable()
export class LiveHealthIndicator {
  /** @internal */
  constructor(
    private readonly lifecycle: LiveLifecycle,
    private readonly registry: ConnectionRegistry,
    private readonly core: Live,
    private readonly health: HealthIndicatorService,
  ) {
    eventLoopDelay.start();
  }

  /** Up as long as the process answers. Neither a drain nor an unavailable broker takes it down. */
  live<const Key extends string = 'live'>(
    key: Key = 'live' as Key,
    { maxEventLoopDelayMs = Infinity }: LivenessOptions = {},
  ): LiveHealthResult<Key> {
    return this.result(key, eventLoopDelay.read().p99 <= maxEventLoopDelayMs);
  }

  /**
   * Up while the server can serve new clients: down while it starts, stops or drains, and
   * afterwards [L-10.1]; also while the broker is unavailable or has refused every publication for
   * 5 s. The server probes the broker each second, so readiness returns even if nothing is
   * published.
   */
  ready<const Key extends string = 'live'>(key: Key = 'live' as Key): LiveHealthResult<Key> {
    const { available, publishRefusals } = this.core;
    const isReady = this.lifecycle.state === 'ready' && available && publishRefusals?.lasting !== true;
    return this.result(key, isReady);
  }

  private result<Key extends string>(key: Key, up: boolean): LiveHealthResult<Key> {
    const { state } = this.lifecycle;
    const { mean, p99, max } = eventLoopDelay.read();
    const { publishRefusals: refusals } = this.core;
    const drain = this.core.draining ? this.core.stats().drain : undefined;
    const details: LiveHealthDetails = {
      state,
      draining: state === 'draining',
      ...(drain && { drain }),
      brokerAvailable: this.core.available,
      ...(refusals && {
        publishingRefused: {
          since: new Date(refusals.sinceMs).toISOString(),
          reason: printable(refusals.reason),
        },
      }),
      connections: this.registry.size,
      instances: this.instances(),
      eventLoopDelayMs: { mean: rounded(mean), p99: rounded(p99), max: rounded(max) },
    };
    const session = this.health.check(key);
    return up ? session.up(details) : session.down(details);
  }

  private instances(): string[] {
    const { self, instances } = this.core.cluster;
    return [self, ...instances.others].slice(0, maxInstances).map(({ id }) => id);
  }
}

const maxInstances = 50;

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
