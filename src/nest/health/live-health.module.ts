import { Module } from '@nestjs/common';
import { HealthIndicatorService } from '@nestjs/terminus';
import { LiveHealthIndicator } from './live-health.indicator.js';

/**
 * Provides `LiveHealthIndicator` to the module of your health routes:
 * `imports: [TerminusModule, LiveHealthModule]`. It adds no route. The root module must import
 * `LiveModule.forRoot`.
 */
@Module({ providers: [HealthIndicatorService, LiveHealthIndicator], exports: [LiveHealthIndicator] })
export class LiveHealthModule {}
