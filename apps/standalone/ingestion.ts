import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Counter, Gauge } from 'prom-client';
import type { RedisIngestion } from 'nestjs-live/redis';
import { LiveService } from 'nestjs-live';
import { LiveMetrics } from 'nestjs-live/metrics';
import { complaints } from './broker.js';
import { ServerPlan } from './server-plan.js';
import { brokerAddresses } from './settings/broker-address.js';

/** Publishes what is added to the Redis Stream `live:in`, until the server stops. */
@Injectable()
export class Ingestion implements OnApplicationBootstrap, OnModuleDestroy {
  private ingestion: RedisIngestion | undefined;

  constructor(
    private readonly live: LiveService,
    private readonly plan: ServerPlan,
    private readonly metrics: LiveMetrics,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const { RedisIngestion } = await import('nestjs-live/redis');
    const { LIVE_BROKER_URL } = this.plan.settings;
    const complain = complaints('Ingestion');
    const ingestion = new RedisIngestion({
      ...(LIVE_BROKER_URL !== undefined && { url: brokerAddresses(LIVE_BROKER_URL) }),
      publish: (topic, data, options) => this.live.publish(topic, data, options),
      onError: complain,
      onDeadLetter: (_entry, reason) =>
        complain('publishing an entry of live:in, see live:in:dead', new Error(reason)),
    });
    this.ingestion = ingestion;
    this.measure(ingestion);
    ingestion.start();
  }

  /** Runs before the broker is closed, so that entries in progress can still be published. */
  async onModuleDestroy(): Promise<void> {
    await this.ingestion?.close();
  }

  private measure(ingestion: RedisIngestion): void {
    const registers = [this.metrics.registry];
    const ingested: Counter<'result'> = new Counter({
      name: 'processor_live_ingested_total',
      help: 'Finished entries of the inbound stream, by result',
      labelNames: ['result'],
      registers,
      collect: () => {
        const { publishedTotal, suppressedTotal, reusedTotal, deadLettersTotal } = ingestion.stats();
        ingested.reset();
        ingested.inc({ result: 'published' }, publishedTotal);
        ingested.inc({ result: 'suppressed' }, suppressedTotal);
        ingested.inc({ result: 'reused' }, reusedTotal);
        ingested.inc({ result: 'dead' }, deadLettersTotal);
      },
    });
    const lost: Counter = new Counter({
      name: 'processor_live_ingest_lost_total',
      help: 'Entries of the inbound stream that were trimmed or deleted before they were published',
      registers,
      collect: () => {
        lost.reset();
        lost.inc(ingestion.stats().lostTotal);
      },
    });
    const unreachable: Gauge = new Gauge({
      name: 'processor_live_ingest_unreachable',
      help: 'Entries of the inbound stream that its consumer group never receives',
      registers,
      collect: () => unreachable.set(ingestion.stats().unreachable),
    });
    const ingesting: Gauge = new Gauge({
      name: 'processor_live_ingesting',
      help: '1 while this instance reads the inbound stream, otherwise 0',
      registers,
      collect: () => ingesting.set(Number(ingestion.stats().active)),
    });
  }
}
