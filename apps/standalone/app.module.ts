import { type DynamicModule, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { LoggerModule } from 'nestjs-pino';
import { LocalTopics } from './local-topics.js';
import { type Broker, LiveModule } from 'nestjs-live';
import { LiveAsyncApiModule } from 'nestjs-live/asyncapi';
import { LiveHealthModule } from 'nestjs-live/health';
import { LiveMetricsModule } from 'nestjs-live/metrics';
import { ContractController } from './contract.controller.js';
import { DevelopmentCookie } from './development-cookie.js';
import { FleetReplay } from './fleet/fleet-replay.js';
import { track } from './fleet/track.js';
import { FleetPublisher } from './fleet-publisher.js';
import { HealthController } from './health.controller.js';
import { Ingestion } from './ingestion.js';
import { liveOptionsOf } from './live-options.js';
import type { LogOutput } from './log-output.js';
import { loggingOf } from './logging.js';
import { MetricsController } from './metrics.controller.js';
import { PageController } from './page.controller.js';
import { PageFiles } from './page-files.js';
import { PublishController } from './publish/publish.controller.js';
import { PublishKeyGuard } from './publish/publish-key.guard.js';
import { packageVersion } from './package-version.js';
import { ServerPlan } from './server-plan.js';
import { localTopics, serverTopics } from './topics/server-topics.js';
import { TopicRights } from './topics/topic-rights.js';
import { Vitals } from './vitals/vitals.js';
import { VitalsPublisher } from './vitals/vitals.publisher.js';

/** The standalone server: `LiveModule` and the parts around it. */
@Module({})
export class AppModule {
  static forRoot(plan: ServerPlan, output: LogOutput, broker?: Broker): DynamicModule {
    const fleet = { provide: FleetReplay, useFactory: () => new FleetReplay(track) };
    return {
      module: AppModule,
      imports: [
        LoggerModule.forRoot(loggingOf(plan, output)),
        LiveModule.forRoot({
          ...liveOptionsOf(plan),
          ...(broker && { broker: new LocalTopics(broker, localTopics(plan)) }),
        }),
        // The live server logs why it is not ready. Terminus would repeat it at every probe.
        TerminusModule.forRoot({ logger: false }),
        LiveHealthModule,
        LiveMetricsModule,
        LiveAsyncApiModule.forRoot({
          info: { title: 'nestjs-live server', version: packageVersion() },
          url: `ws://localhost:${String(plan.settings.LIVE_WS_PORT)}${plan.settings.LIVE_WS_PATH}`,
        }),
      ],
      controllers: [
        PageController,
        PublishController,
        HealthController,
        MetricsController,
        ContractController,
      ],
      providers: [
        { provide: ServerPlan, useValue: plan },
        PageFiles,
        DevelopmentCookie,
        PublishKeyGuard,
        TopicRights,
        Vitals,
        VitalsPublisher,
        ...(plan.settings.LIVE_INGEST ? [Ingestion] : []),
        ...(plan.demo ? [fleet, FleetPublisher] : []),
        ...serverTopics(plan),
      ],
    };
  }
}
