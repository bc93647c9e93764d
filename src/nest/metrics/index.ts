/**
 * Metrics for Prometheus. Needs `prom-client`.
 *
 * @packageDocumentation
 * @module nestjs-live/metrics
 */
export { LiveMetrics } from './live.metrics.js';
export { LiveMetricsModule } from './live-metrics.module.js';
export type { LiveMetricsOptions } from './live-metrics.module-definition.js';
