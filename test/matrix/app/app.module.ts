// An application as a user writes it, compiled in every way that the matrix knows.
import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  Module,
  type OnModuleDestroy,
  UnauthorizedException,
} from '@nestjs/common';
import { ConnectedSocket, SubscribeMessage } from '@nestjs/websockets';
import {
  type LiveConnection,
  LiveHandlers,
  LiveLifecycle,
  LiveModule,
  LiveTopic,
  type LiveTopicProvider,
  type LiveUser,
  setConnectionIdentity,
} from 'nestjs-live';

export const seen: { reason?: unknown; whileClosing?: string; global: number } = { global: 0 };

@Injectable()
export class Guard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest();
    if (request.headers.authorization !== 'Bearer ann') throw new UnauthorizedException();
    setConnectionIdentity(request, { user: { id: 'ann' } });
    return true;
  }
}

@LiveTopic('fleet/:id')
export class Fleet implements LiveTopicProvider<{ id: string }> {
  canSubscribe(user: LiveUser | null): boolean {
    return user?.id === 'ann';
  }
}

@LiveHandlers()
export class Greeter {
  handleDisconnect(_connection: LiveConnection, reason?: unknown): void {
    seen.reason = reason;
  }

  @SubscribeMessage('greet')
  greet(@ConnectedSocket() connection: LiveConnection): { hello: string | undefined } {
    return { hello: connection.user?.id };
  }
}

/** Closes slowly, and before the live module where the order of imports says so. */
@Injectable()
class Slow implements OnModuleDestroy {
  constructor(private readonly lifecycle: LiveLifecycle) {}

  async onModuleDestroy(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 50));
    seen.whileClosing = this.lifecycle.state;
  }
}

@Module({
  imports: [LiveModule.forRoot({ port: 0, guards: [Guard], globalEnhancersOnMessages: true })],
  providers: [Fleet, Greeter, Slow],
})
export class AppModule {}
