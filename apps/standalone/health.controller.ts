import { Controller, Get } from '@nestjs/common';
import { HealthCheck, type HealthCheckResult, HealthCheckService } from '@nestjs/terminus';
import { LiveHealthIndicator } from 'nestjs-live/health';

/** `live`: must this process be restarted? `ready`: may it receive new clients? */
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicator: LiveHealthIndicator,
  ) {}

  /** Stays 200 while the server drains, since a restart would cut the drain short. */
  @Get('live')
  @HealthCheck()
  live(): Promise<HealthCheckResult> {
    return this.health.check([() => this.indicator.live()]);
  }

  /** 503 from the moment the server is asked to stop. [L-10.1] */
  @Get('ready')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.check([() => this.indicator.ready()]);
  }
}
