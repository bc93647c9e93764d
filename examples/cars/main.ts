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

@LiveTopic('cars', { snapshot: 'last-per-key' })
export class CarsTopic {
  canSubscribe() {
    return true;
  }
}

const perSecond = Number(process.env.PER_SECOND ?? 100);

@Injectable()
export class Cars implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Cars');
  private readonly startedMs = Date.now();
  private timer?: NodeJS.Timeout;
  private moves = 0;

  constructor(private readonly live: LiveService) {}

  onApplicationBootstrap() {
    this.timer = setInterval(() => this.move(), 5);
  }

  onModuleDestroy() {
    clearInterval(this.timer);
  }

  private move() {
    const due = ((Date.now() - this.startedMs) * perSecond) / 1_000;
    for (; this.moves < due; this.moves += 1) {
      const car = { x: Math.round(Math.random() * 100), y: Math.round(Math.random() * 100) };
      this.live
        .publish('cars', car, { key: `car-${this.moves % 20}` })
        .catch((error) => this.logger.error(error));
    }
  }
}

@Module({
  imports: [
    LiveModule.forRoot({
      port: 'app',
      dangerouslyPublic: true, // cars for everybody; name guards for anything else
      allowedOrigins: [
        process.env.PAGE_ORIGIN ?? 'http://localhost:3000',
        'http://localhost:5173', // Vite
        'http://localhost:4200', // the Angular CLI
      ],
    }),
  ],
  providers: [CarsTopic, Cars],
})
export class AppModule {}

const app = await NestFactory.create<NestExpressApplication>(AppModule);
if (process.env.PAGES) app.useStaticAssets(process.env.PAGES);
app.enableShutdownHooks(['SIGTERM', 'SIGINT'], { useProcessExit: true });
await app.listen(process.env.PORT ?? 3000);
