import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  Logger,
  Module,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { LiveModule, LiveService, LiveTopic, type LiveUser, setConnectionIdentity } from 'nestjs-live';

/** Stands for your login: whoever sends `Bearer <name>` is that user. */
@Injectable()
export class NameGuard implements CanActivate {
  canActivate(context: ExecutionContext) {
    const request = context.switchToHttp().getRequest<{ headers: { authorization?: string } }>();
    const name = /^Bearer (\w{1,20})$/.exec(request.headers.authorization ?? '')?.[1];
    if (name !== undefined) setConnectionIdentity(request, { user: { id: name } });
    return name !== undefined;
  }
}

/** A user reads its own account only, and begins with the newest balance. */
@LiveTopic('accounts/:owner', { snapshot: 'last' })
export class AccountTopic {
  canSubscribe(user: LiveUser | null, { owner }: { owner: string }) {
    return user?.id === owner;
  }
}

/** Stands for your data source. */
@Injectable()
export class Accounts implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Accounts');
  private timer?: NodeJS.Timeout;

  constructor(private readonly live: LiveService) {}

  onApplicationBootstrap() {
    this.timer = setInterval(() => this.pay(), 200);
  }

  onModuleDestroy() {
    clearInterval(this.timer);
  }

  private pay() {
    const balance = Math.round(Math.random() * 1_000);
    this.live.publish('accounts/ann', { balance }).catch((error) => this.logger.error(error));
  }
}

@Module({
  imports: [LiveModule.forRoot({ port: 'app', guards: [NameGuard] })],
  providers: [AccountTopic, Accounts],
})
export class AppModule {}
