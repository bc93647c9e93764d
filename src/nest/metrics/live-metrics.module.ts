import { Module } from '@nestjs/common';
import { LiveMetrics } from './live.metrics.js';
import { ConfigurableModuleClass } from './live-metrics.module-definition.js';

/**
 * Prometheus metrics of the live server, in a registry of their own (`imports: [LiveMetricsModule]`) or in yours
 * (`LiveMetricsModule.forRoot({ registry })`). It opens no route, so that nobody publishes metrics by accident. One:
 *
 * ```ts
 * @Controller('metrics')
 * export class MetricsController {
 *   constructor(private readonly metrics: LiveMetrics) {}
 *
 *   @Get()
 *   @Header('Content-Type', Registry.PROMETHEUS_CONTENT_TYPE)
 *   read() {
 *     return this.metrics.text();
 *   }
 * }
 * ```
 *
 * @publicApi
 */
@Module({ providers: [LiveMetrics], exports: [LiveMetrics] })
export class LiveMetricsModule extends ConfigurableModuleClass {}
