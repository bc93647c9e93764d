import { type CanActivate, type ExecutionContext, Injectable, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { LiveModule, LiveService, LiveTopic, type LiveUser, setConnectionIdentity } from 'nestjs-live';

/** A stand-in for your login: a client that sends `Bearer <name>` is that user. */
@Injectable()
export class NameGuard implements CanActivate {
  canActivate(context: ExecutionContext) {
    const request = context.switchToHttp().getRequest<{ headers: { authorization?: string } }>();
    const name = /^Bearer (\w{1,20})$/.exec(request.headers.authorization ?? '')?.[1];
    if (name !== undefined) setConnectionIdentity(request, { user: { id: name } });
    return name !== undefined;
  }
}

@LiveTopic('clock')
export class ClockTopic {
  canSubscribe(user: LiveUser | null) {
    return user !== null;
  }

  snapshot() {
    return { now: new Date().toISOString() };
  }
}

@Module({ imports: [LiveModule.forRoot({ port: 'app', guards: [NameGuard] })], providers: [ClockTopic] })
export class AppModule {}

const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter());
app.enableShutdownHooks(['SIGTERM', 'SIGINT'], { useProcessExit: true });
await app.listen(process.env.PORT ?? 3000);
const logger = new Logger('Clock');
setInterval(() => {
  const now = new Date().toISOString();
  app
    .get(LiveService)
    .publish('clock', { now })
    .catch((error) => logger.error(error));
}, 200).unref();
