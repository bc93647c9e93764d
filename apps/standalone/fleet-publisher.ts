import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { LiveService } from 'nestjs-live';
import { FleetReplay } from './fleet/fleet-replay.js';
import { Ticker } from './ticker.js';
import { fleetTopic } from './topics/server-topics.js';

/**
 * Each turn moves a quarter of the fleet: every vehicle moves once a second, never all together.
 */
const everyMs = 250;
const parts = 4;

/** Publishes the vehicles of the demo, each with its id as the key. */
@Injectable()
export class FleetPublisher implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly ticker: Ticker;
  private part = 0;

  constructor(
    private readonly live: LiveService,
    private readonly fleet: FleetReplay,
  ) {
    this.ticker = new Ticker('publishing the fleet', everyMs, () => this.publishPart());
  }

  onApplicationBootstrap(): void {
    this.ticker.start();
  }

  onModuleDestroy(): void {
    this.ticker.stop();
  }

  private publishPart(): Promise<unknown> {
    const moved = this.fleet.positionsAt(Date.now()).filter((_, index) => index % parts === this.part);
    this.part = (this.part + 1) % parts;
    return Promise.all(moved.map((vehicle) => this.live.publish(fleetTopic, vehicle, { key: vehicle.id })));
  }
}
