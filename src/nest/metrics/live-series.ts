import { Counter, Gauge, type Metric, type Registry } from 'prom-client';
import type { LiveStats } from '../../core/live.js';
import type { EventLoopDelayReading } from '../event-loop-delay.js';
import type { LabelCounts } from './label-counts.js';
import type { LiveTally } from './live-tally.js';

/** Where the series read their values, at each scrape. */
export interface LiveSeriesSources {
  readonly instanceId: string;
  readonly tally: LiveTally;
  stats(): LiveStats;
  pendingHandshakes(): number;
  eventLoopDelay(): EventLoopDelayReading;
}

/** Makes the metrics of one live server; `prefix` comes before each name. Every label's values are bounded. */
export function makeLiveSeries(registry: Registry, prefix: string, sources: LiveSeriesSources): Metric[] {
  const { tally } = sources;
  const make = new SeriesMaker(registry, prefix);
  return [
    make.gauge('connections', 'Open connections', () => sources.stats().connections),
    make.counterBy('messages_inbound_total', 'Messages from clients', 'type', tally.inboundByType, {
      instance_id: sources.instanceId,
    }),
    make.counterBy('messages_outbound_total', 'Messages to clients', 'type', tally.outboundByType),
    make.counterBy('handshakes_total', 'Handshakes decided', 'result', tally.handshakesByResult),
    make.counterBy('closes_total', 'Connections ended, by close code', 'code', tally.closesByCode),
    make.gauge(
      'queued_bytes',
      'Bytes that wait for all clients together, outside of the kernel',
      () => sources.stats().queuedBytes,
    ),
    make.delay(() => sources.eventLoopDelay()),
    make.gauge('pending_handshakes', 'Handshakes that are not decided yet', () =>
      sources.pendingHandshakes(),
    ),
    make.gauge('subscriptions', 'Subscriptions of all connections', () => sources.stats().subscriptions),
    make.gauge('topics', 'Topics that somebody on this instance reads', () => sources.stats().topics),
    make.counter(
      'publications_total',
      'Publications accepted by the broker through this instance',
      () => sources.stats().publicationsTotal,
    ),
    make.counter(
      'deliveries_total',
      'Publications times their subscribers on this instance',
      () => sources.stats().deliveriesTotal,
    ),
    make.gauge('draining', '1 while connections are asked to leave and after, else 0', () =>
      Number(sources.stats().draining),
    ),
    make.counter(
      'failures_total',
      'Errors that are the server’s or the application’s: each is in the log, unless they flood it',
      () => tally.failuresTotal,
    ),
  ];
}

/** Metrics that read their value when they are scraped, and hold none of their own. */
class SeriesMaker {
  constructor(
    private readonly registry: Registry,
    private readonly prefix: string,
  ) {}

  gauge(name: string, help: string, read: () => number): Metric {
    return new Gauge({
      ...this.head(name, help),
      collect() {
        this.set(read());
      },
    });
  }

  counter(name: string, help: string, read: () => number): Metric {
    return new Counter({
      ...this.head(name, help),
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }

  counterBy(
    name: string,
    help: string,
    label: string,
    counts: LabelCounts,
    fixed: Readonly<Record<string, string>> = {},
  ): Metric {
    return new Counter<string>({
      ...this.head(name, help),
      labelNames: [label, ...Object.keys(fixed)],
      collect() {
        this.reset();
        for (const [value, total] of counts) this.inc({ [label]: value, ...fixed }, total);
      },
    });
  }

  delay(read: () => EventLoopDelayReading): Metric {
    return new Gauge({
      ...this.head('event_loop_delay_seconds', 'How late the event loop was, over the last 15 to 30 seconds'),
      labelNames: ['stat'],
      collect() {
        for (const [stat, ms] of Object.entries(read())) this.set({ stat }, ms / 1_000);
      },
    });
  }

  private head(name: string, help: string): { name: string; help: string; registers: Registry[] } {
    const full = `${this.prefix}_${name}`;
    if (this.registry.getSingleMetric(full) !== undefined) throw nameTaken(full);
    return { name: full, help, registers: [this.registry] };
  }
}

const nameTaken = (name: string): Error =>
  new Error(
    `LiveMetricsModule: the registry already has a metric "${name}". Give each application its own registry, ` +
      'LiveMetricsModule.forRoot({ registry: new Registry() }), or another LiveModule.forRoot({ metricsPrefix }).',
  );
