import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { Registry } from 'prom-client';

export interface LiveMetricsOptions {
  /**
   * The registry of the metrics, such as prom-client's global `register`. Two applications cannot
   * share one unless their `metricsPrefix` differs.
   *
   * @default a registry of its own, `LiveMetrics.registry`
   */
  readonly registry?: Registry;
}

export const {
  ConfigurableModuleClass,
  MODULE_OPTIONS_TOKEN: LIVE_METRICS_OPTIONS,
  OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<LiveMetricsOptions>({ moduleName: 'LiveMetrics' })
  .setClassMethodName('forRoot')
  .build();
