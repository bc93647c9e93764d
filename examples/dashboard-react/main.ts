import {
  Injectable,
  Logger,
  Module,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { LiveModule, LiveService, LiveTopic } from 'nestjs-live';

@LiveTopic('vitals', { snapshot: 'last' })
export class VitalsTopic {
  canSubscribe() {
    return true;
  }
}

@Injectable()
export class Vitals implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Vitals');
  private timer?: NodeJS.Timeout;

  constructor(private readonly live: LiveService) {}

  onApplicationBootstrap() {
    this.timer = setInterval(() => {
      const vitals = {
        memoryBytes: process.memoryUsage.rss(),
        uptimeMs: Math.round(process.uptime() * 1_000),
      };
      this.live.publish('vitals', vitals).catch((error) => this.logger.error(error));
    }, 200);
  }

  onModuleDestroy() {
    clearInterval(this.timer);
  }
}

@Module({
  imports: [
    LiveModule.forRoot({
      port: 'app',
      dangerouslyPublic: true, // a dashboard for everybody; name guards for anything else
      allowedOrigins: [process.env.PAGE_ORIGIN ?? 'http://localhost:3000', 'http://localhost:5173'],
    }),
  ],
  providers: [VitalsTopic, Vitals],
})
export class AppModule {}

const app = await NestFactory.create<NestExpressApplication>(AppModule);
app.useStaticAssets('dist'); // what `vite build` made; in development Vite serves the page
app.enableShutdownHooks(['SIGTERM', 'SIGINT'], { useProcessExit: true });
await app.listen(process.env.PORT ?? 3000);
