import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { LiveService } from 'nestjs-live';
import { Ticker } from '../ticker.js';
import { vitalsTopic } from '../topics/server-topics.js';
import { Vitals } from './vitals.js';

const everyMs = 1_000;

/** Publishes the server's vitals once a second, from its start until its stop. */
@Injectable()
export class VitalsPublisher implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly ticker: Ticker;

  constructor(live: LiveService, vitals: Vitals) {
    this.ticker = new Ticker('publishing the vitals', everyMs, () =>
      live.publish(vitalsTopic, vitals.read()),
    );
  }

  onApplicationBootstrap(): void {
    this.ticker.start();
  }

  onModuleDestroy(): void {
    this.ticker.stop();
  }
}
