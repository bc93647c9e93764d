import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { LiveService } from '../../../src/index.js';
import { RedisIngestion } from '../../../src/brokers/redis/index.js';

@Injectable()
export class StreamIngestion implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Ingestion');
  private readonly ingestion: RedisIngestion;

  constructor(live: LiveService) {
    this.ingestion = new RedisIngestion({
      url: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379',
      publish: (topic, data, options) => live.publish(topic, data, options),
      onError: (doing, error) => this.logger.warn(`${doing}: ${String(error)}`),
      onDeadLetter: (entry, reason) => this.logger.warn(`${entry} is a dead letter: ${reason}`),
    });
  }

  onApplicationBootstrap() {
    this.ingestion.start();
  }

  onModuleDestroy() {
    return this.ingestion.close(); // finishes the entries in flight
  }
}
