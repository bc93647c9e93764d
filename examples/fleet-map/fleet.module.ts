import { randomBytes } from 'node:crypto';
import {
  Controller,
  Injectable,
  Logger,
  Module,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  Post,
} from '@nestjs/common';
import { SignJWT } from 'jose';
import { JwtConnectionGuard, LiveModule, LiveService, LiveTopic, type LiveUser } from 'nestjs-live';

// Without JWT_SECRET, tokens are valid until the process ends. Production needs it.
const secret = process.env.JWT_SECRET ?? randomBytes(32).toString('hex');

/** Who may read `fleet/7`, and what a new subscriber starts with: the newest data of each key. */
@LiveTopic('fleet/:fleetId', { snapshot: 'last-per-key' })
export class FleetTopic {
  canSubscribe(user: LiveUser | null, { fleetId }: { fleetId: string }) {
    return user?.fleet === fleetId; // a claim of the token
  }
}

/** Gives the page its token. Sign one only for a user that your own login has authenticated. */
@Controller('token')
export class TokenController {
  @Post()
  async create() {
    const token = await new SignJWT({ fleet: '7' })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject('ann')
      .setExpirationTime('10m')
      .sign(new TextEncoder().encode(secret));
    return { token };
  }
}

/** A stand-in for your data source: three vehicles that drive in circles. */
@Injectable()
export class Vehicles implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Vehicles');
  private timer?: NodeJS.Timeout;

  constructor(private readonly live: LiveService) {}

  onApplicationBootstrap() {
    this.timer = setInterval(() => this.move(), 200);
  }

  onModuleDestroy() {
    clearInterval(this.timer);
  }

  private move() {
    for (const [i, id] of ['bus', 'van', 'taxi'].entries()) {
      const angle = Date.now() / (1_000 + 500 * i);
      const position = { id, x: 50 + 40 * Math.cos(angle), y: 50 + 40 * Math.sin(angle) };
      this.live.publish('fleet/7', position, { key: id }).catch((error) => this.logger.error(error));
    }
  }
}

@Module({
  imports: [
    LiveModule.forRoot({
      port: 'app', // the WebSockets share the application's own server
      guards: [JwtConnectionGuard],
      jwt: { secret },
      // Every origin that your pages have; the second is Vite's development server.
      allowedOrigins: [process.env.PAGE_ORIGIN ?? 'http://localhost:3000', 'http://localhost:5173'],
    }),
  ],
  controllers: [TokenController],
  providers: [FleetTopic, Vehicles],
})
export class FleetModule {}
