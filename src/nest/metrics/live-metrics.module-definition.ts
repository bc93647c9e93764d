import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { Registry } from 'prom-client';
import { LIVE_METRICS_OPTIONS } from '../options/live.tokens.js';

/** Options of `LiveMetricsModule.forRoot`. */
export interface LiveMetricsOptions {
  /**
   * The registry of the metrics, such as prom-client's global `register`. Two applications cannot
   * share one unless their `metricsPrefix` differs.
   *
   * @default a registry of its own, `LiveMetrics.registry`
   */
  readonly registry?: Registry;
}

export const { ConfigurableModuleClass } = new ConfigurableModuleBuilder<LiveMetricsOptions>({
  moduleName: 'LiveMetrics',
  optionsInjectionToken: LIVE_METRICS_OPTIONS,
})
  .setClassMethodName('forRoot')
  .build();
