import { randomBytes } from 'node:crypto';
import {
  BadRequestException,
  Body,
  Controller,
  Headers,
  Module,
  Param,
  Post,
  UnauthorizedException,
} from '@nestjs/common';
import { jwtVerify, SignJWT } from 'jose';
import { JwtConnectionGuard, LiveModule, LiveService, LiveTopic, type LiveUser } from 'nestjs-live';

const secret = process.env.JWT_SECRET ?? randomBytes(32).toString('hex');
const key = new TextEncoder().encode(secret);

/** A chat room. Every signed-in user may read it, and its members are on `chat/<room>/presence`. */
@LiveTopic('chat/:room', { history: { size: 50 }, presence: { graceMs: 1_000 } })
export class ChatTopic {
  canSubscribe(user: LiveUser | null) {
    return user !== null;
  }
}

@Controller()
export class ChatController {
  constructor(private readonly live: LiveService) {}

  /** Replace this with your own login: it accepts any name. */
  @Post('token')
  async token(@Body() { name }: { name?: unknown }) {
    if (typeof name !== 'string' || !/^\w{1,20}$/.test(name)) throw new BadRequestException('No such name');
    const jwt = new SignJWT().setProtectedHeader({ alg: 'HS256' }).setSubject(name).setExpirationTime('10m');
    return { token: await jwt.sign(key) };
  }

  /** Browsers do not publish themselves: the server says who wrote a message. */
  @Post('chat/:room')
  async say(
    @Param('room') room: string,
    @Body() { text }: { text?: unknown },
    @Headers('authorization') authorization = '',
  ) {
    const verified = await jwtVerify(authorization.replace(/^Bearer /, ''), key).catch(() => undefined);
    if (verified === undefined) throw new UnauthorizedException();
    if (typeof text !== 'string' || text.length > 500 || !/^\w{1,20}$/.test(room))
      throw new BadRequestException();
    return this.live.publish(`chat/${room}`, { from: verified.payload.sub, text });
  }
}

@Module({
  imports: [
    LiveModule.forRoot({
      port: 'app',
      guards: [JwtConnectionGuard],
      jwt: { secret },
      allowedOrigins: [process.env.PAGE_ORIGIN ?? 'http://localhost:3000'],
    }),
  ],
  controllers: [ChatController],
  providers: [ChatTopic],
})
export class ChatModule {}
