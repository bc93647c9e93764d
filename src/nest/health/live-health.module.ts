import { Module } from '@nestjs/common';
import { HealthIndicatorService } from '@nestjs/terminus';
import { LiveHealthIndicator } from './live-health.indicator.js';

/**
 * Provides `LiveHealthIndicator` to a module that has its health routes: `imports: [TerminusModule, LiveHealthModule]`.
 * It opens no route, and needs `LiveModule.forRoot` in the root module.
 *
 * @publicApi
 */
@Module({ providers: [HealthIndicatorService, LiveHealthIndicator], exports: [LiveHealthIndicator] })
export class LiveHealthModule {}
