import { Module } from '@nestjs/common';
import { LiveMetrics } from './live.metrics.js';
import { ConfigurableModuleClass } from './live-metrics.module-definition.js';

/**
 * Prometheus metrics of the live server, in a registry of its own (`imports: [LiveMetricsModule]`)
 * or in yours (`LiveMetricsModule.forRoot({ registry })`). It adds no route, so that metrics are
 * never exposed by accident. Example:
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
 */
@Module({ providers: [LiveMetrics], exports: [LiveMetrics] })
export class LiveMetricsModule extends ConfigurableModuleClass {}
