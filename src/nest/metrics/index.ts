export { LiveMetrics } from './live.metrics.js';
export { LiveMetricsModule } from './live-metrics.module.js';
export { LIVE_METRICS_OPTIONS, type LiveMetricsOptions } from './live-metrics.module-definition.js';
