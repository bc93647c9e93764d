import { Controller, Get, Header } from '@nestjs/common';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { LiveMetrics } from 'nestjs-live/metrics';

/** `GET /metrics`: the live server's metrics and those of the process. */
@Controller('metrics')
export class MetricsController {
  constructor(private readonly metrics: LiveMetrics) {
    collectDefaultMetrics({ register: metrics.registry });
  }

  @Get()
  @Header('Content-Type', Registry.PROMETHEUS_CONTENT_TYPE)
  @Header('Cache-Control', 'no-store')
  read(): Promise<string> {
    return this.metrics.text();
  }
}
