import { Inject, Injectable, type OnApplicationShutdown, Optional } from '@nestjs/common';
import { type Metric, Registry } from 'prom-client';
import { Live, type LiveStats } from '../../core/live.js';
import { eventLoopDelay } from '../server/event-loop-delay.js';
import { LiveObservers } from '../logging/live.observers.js';
import { LiveServer } from '../server/live.server.js';
import type { ResolvedLiveOptions } from '../options/live.settings.js';
import { LIVE_SETTINGS } from '../options/live.tokens.js';
import { LIVE_METRICS_OPTIONS, type LiveMetricsOptions } from './live-metrics.module-definition.js';
import { makeLiveSeries } from './live-series.js';
import { LiveTally } from './live-tally.js';

/**
 * The live server's metrics. They are read from the server at each scrape; between scrapes they cost an addition for
 * each message.
 *
 * @publicApi
 */
@Injectable()
export class LiveMetrics implements OnApplicationShutdown {
  /** Where the metrics are: what `forRoot` was given, else one of their own. */
  readonly registry: Registry;
  private readonly names: readonly string[];
  private stats: LiveStats | undefined;

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

  /** Everything in the registry, in Prometheus' text format. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  /** Takes the metrics out of a registry that was given, so that the next application can have it. */
  onApplicationShutdown(): void {
    if (this.options.registry === undefined) return;
    for (const name of this.names) this.registry.removeSingleMetric(name);
  }

  /** One walk over all connections for one scrape, which asks for all metrics in one turn. */
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
  // Missing in the types of prom-client 15.
  return (metric as unknown as { readonly name: string }).name;
}
