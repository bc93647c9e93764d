import { timingSafeEqual } from 'node:crypto';
import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  Module,
  UnauthorizedException,
} from '@nestjs/common';
import { LiveModule, LiveTopic, type LiveUser, setConnectionIdentity } from 'nestjs-live';
import { RedisBroker } from 'nestjs-live/redis';

/** The progress of one job, for the user that started it: `jobs/<user>/<job>`. */
@LiveTopic('jobs/:user/:job', { snapshot: 'last', history: { size: 100 } })
export class JobTopic {
  canSubscribe(user: LiveUser | null, { user: owner }: { user: string }) {
    return user?.id === owner;
  }
}

/** A custom guard. It runs on the HTTP request of the handshake, before the WebSocket opens. */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  canActivate(context: ExecutionContext) {
    const request = context.switchToHttp().getRequest<{ headers: { authorization?: string } }>();
    const given = Buffer.from(request.headers.authorization ?? '');
    const expected = Buffer.from(`Bearer ${process.env.API_KEY ?? ''}`);
    if (!process.env.API_KEY || given.length !== expected.length || !timingSafeEqual(given, expected))
      throw new UnauthorizedException();
    setConnectionIdentity(request, { user: { id: 'ann' } });
    return true;
  }
}

/** Both processes import this module: all instances on the same Redis are one live server. */
@Module({
  imports: [
    LiveModule.forRoot({
      port: 'app',
      guards: [ApiKeyGuard],
      broker: () => new RedisBroker({ url: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' }),
    }),
  ],
  providers: [JobTopic],
})
export class AppModule {}
