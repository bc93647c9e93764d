import { Counter, Gauge, type Metric, type Registry } from 'prom-client';
import type { EventLoopDelayReading } from '../server/event-loop-delay.js';
import type { LabelCounts } from './label-counts.js';

/** Creates metrics that read their value on each scrape and store none. */
export class SeriesMaker {
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
      ...this.head('event_loop_delay_seconds', 'Delay of the event loop over the last 15 to 30 seconds'),
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
