import { Controller, Get, ServiceUnavailableException } from '@nestjs/common';
import { HealthCheck, type HealthCheckResult, HealthCheckService } from '@nestjs/terminus';
import { LiveHealthIndicator } from '../nest/health/index.js';

/** `live`: shall this process be restarted? `ready`: shall new clients be sent to it? */
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicator: LiveHealthIndicator,
  ) {}

  /** Stays 200 while the server drains. */
  @Get('live')
  @HealthCheck()
  async live(): Promise<unknown> {
    try {
      return await this.health.check([() => this.indicator.live()]);
    } catch (error) {
      // Terminus fails every check once it has heard of the shutdown; a restart would cut the drain short.
      const answer = error instanceof ServiceUnavailableException ? error.getResponse() : undefined;
      if (!isShuttingDown(answer)) throw error;
      return { ...answer, status: 'ok' };
    }
  }

  /** 503 from the moment the server is asked to stop. [L-10.1] */
  @Get('ready')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.check([() => this.indicator.ready()]);
  }
}

function isShuttingDown(answer: unknown): answer is HealthCheckResult {
  return (
    typeof answer === 'object' &&
    answer !== null &&
    (answer as HealthCheckResult).status === 'shutting_down' &&
    Object.keys((answer as HealthCheckResult).error ?? {}).length === 0
  );
}
