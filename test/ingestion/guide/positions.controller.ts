import { Controller } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { LiveService } from '../../../src/index.js';

export interface Position {
  readonly eventId: string;
  readonly vehicle: string;
  readonly lat: number;
  readonly lon: number;
}

@Controller()
export class PositionsController {
  constructor(private readonly live: LiveService) {}

  @EventPattern('positions')
  async moved(@Payload() { eventId, vehicle, lat, lon }: Position) {
    await this.live.publish('fleet/7', { lat, lon }, { key: vehicle, idempotencyKey: eventId });
  }
}
