// A Nest application in plain JavaScript. tarball.spec.ts runs it outside the repository.
import { createRequire } from 'node:module';
import 'reflect-metadata';
import { Module, UnauthorizedException } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { LiveModule, LiveService, LiveTopic, setConnectionIdentity } from 'nestjs-live';
import { HandshakeRefused, LiveTestClient } from 'nestjs-live/testing';

const platform = process.argv[2];

class Guard {
  canActivate(context) {
    const request = context.switchToHttp().getRequest();
    if (request.headers.authorization !== 'Bearer ann') throw new UnauthorizedException();
    setConnectionIdentity(request, { user: { id: 'ann' } });
    return true;
  }
}

class Fleet {
  canSubscribe(user) {
    return user.id === 'ann';
  }
}
LiveTopic('fleet/:id')(Fleet);

class App {}
Module({ imports: [LiveModule.forRoot({ port: 0, guards: [Guard] })], providers: [Fleet] })(App);

const adapter =
  platform === 'fastify'
    ? new (await import('@nestjs/platform-fastify')).FastifyAdapter()
    : new (await import('@nestjs/platform-express')).ExpressAdapter();
const app = await NestFactory.create(App, adapter, { logger: ['error'] });
await app.init();
// Only Nest's own ValidationPipe needs it, and there is none.
const { cache } = createRequire(import.meta.url);
if (Object.keys(cache).some((file) => /node_modules.class-transformer/.test(file)))
  throw new Error('class-transformer was loaded');
const live = app.get(LiveService);
const refused = await LiveTestClient.connect(live.url()).catch((error) => error);
if (!(refused instanceof HandshakeRefused)) throw new Error('accepted without a credential');
const client = await LiveTestClient.connect(live.url(), { token: 'ann' });
const welcome = await client.nextOf('welcome');
await client.request({ type: 'subscribe', id: 1, topic: 'fleet/7' });
await live.publish('fleet/7', { speed: 1 });
const event = await client.nextOf('event');
await app.close();
const { code } = await client.closed;
console.log(
  `${platform}: refused ${refused.statusCode}, welcome ${welcome.user.id}, event ${event.offset}, closed ${code}`,
);
