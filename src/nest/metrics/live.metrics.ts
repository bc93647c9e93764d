import { Inject, Injectable, type OnApplicationShutdown, Optional } from '@nestjs/common';
import { type Metric, Registry } from 'prom-client';
import { Live } from '../../core/live.js';
import type { LiveStats } from '../../core/live-stats.js';
import { eventLoopDelay } from '../server/event-loop-delay.js';
import { LiveObservers } from '../logging/live-observer.js';
import { LiveServer } from '../server/live.server.js';
import type { ResolvedLiveOptions } from '../options/live.settings.js';
import { LIVE_METRICS_OPTIONS, LIVE_SETTINGS } from '../options/live.tokens.js';
import type { LiveMetricsOptions } from './live-metrics.module-definition.js';
import { makeLiveSeries } from './live-series.js';
import { LiveTally } from './live-tally.js';

/**
 * The live server's metrics. Each scrape reads them from the server; between scrapes they cost one
 * addition per message.
 */
@Injectable()
export class LiveMetrics implements OnApplicationShutdown {
  /** The registry of the metrics: the one given to `forRoot`, or their own. */
  readonly registry: Registry;
  private readonly names: readonly string[];
  private stats: LiveStats | undefined;

  /** @internal */
  constructor(
    private readonly live: Live,
    server: LiveServer,
    observers: LiveObservers,
    @Inject(LIVE_SETTINGS) { metricsPrefix, instanceId }: ResolvedLiveOptions,
    @Optional() @Inject(LIVE_METRICS_OPTIONS) private readonly options: LiveMetricsOptions = {},
  ) {
    this.registry = options.registry ?? new Registry();
    const tally = new LiveTally();
    eventLoopDelay.start();
    const series = makeLiveSeries(this.registry, metricsPrefix, {
      instanceId,
      tally,
      stats: () => this.statsNow(),
      pendingHandshakes: () => server.pendingHandshakes,
      eventLoopDelay: () => eventLoopDelay.read(),
    });
    this.names = series.map(nameOf);
    observers.add(tally);
  }

  /** The `Content-Type` of `text()`. */
  get contentType(): string {
    return this.registry.contentType;
  }

  /** All metrics in the registry, in Prometheus' text format. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  /** Removes the metrics from a given registry, so that another application can use it. */
  onApplicationShutdown(): void {
    if (this.options.registry === undefined) return;
    for (const name of this.names) this.registry.removeSingleMetric(name);
  }

  /** One walk over all connections per scrape, which reads all metrics in one tick. */
  private statsNow(): LiveStats {
    if (this.stats === undefined) {
      this.stats = this.live.stats();
      queueMicrotask(() => {
        this.stats = undefined;
      });
    }
    return this.stats;
  }
}

function nameOf(metric: Metric): string {
  // Missing from the types of prom-client 15.
  return (metric as unknown as { readonly name: string }).name;
}
