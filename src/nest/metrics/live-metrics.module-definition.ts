import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { Registry } from 'prom-client';

export interface LiveMetricsOptions {
  /**
   * Where the metrics go, for example prom-client's global `register`. Two applications cannot share one unless their
   * `metricsPrefix` differs.
   * @default an own one, `LiveMetrics.registry`
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
