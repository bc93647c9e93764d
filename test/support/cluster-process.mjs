// One instance of a cluster in its own process, on the built package:
// node cluster-process.mjs <JSON of {"id","engine","options"?,"deaf"?}>
// Prints its URL, then one line of JSON for each request on stdin; see the end of the file.
import 'reflect-metadata';
import { createInterface } from 'node:readline';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { LiveModule, LiveService, LiveTopic, setConnectionIdentity } from '../../dist/index.js';
import { NatsBroker } from '../../dist/brokers/nats/index.js';
import { RedisBroker } from '../../dist/brokers/redis/index.js';

const { id, engine, options = {}, deaf = false } = JSON.parse(process.argv[2]);
const revoked = new Set();
let hears = !deaf;

class BearerIsUser {
  canActivate(context) {
    const request = context.switchToHttp().getRequest();
    const [user, name] = (/^Bearer (.+)$/.exec(request.headers.authorization)?.[1] ?? 'nobody').split(' ');
    setConnectionIdentity(request, { user: { id: user, name, secret: 'not shown' } });
    return true;
  }
}

class Rooms {
  async canSubscribe(user) {
    return !revoked.has(user.id);
  }
}
LiveTopic('room/:id', { presence: { fields: ({ name }) => ({ name }), graceMs: 1_000 } })(Rooms);

/** A broker that may lose every signal. */
function losing(broker) {
  const { start, signal } = broker;
  broker.start = (sink) =>
    start.call(broker, {
      publication: (...args) => sink.publication(...args),
      suspect: (topic) => sink.suspect(topic),
      availability: (available) => sink.availability(available),
      signal: (text) => hears && sink.signal(text),
    });
  broker.signal = async (text) => {
    if (hears) await signal.call(broker, text);
  };
  return broker;
}

class AppModule {}
Module({
  imports: [
    LiveModule.forRoot({
      port: 0,
      guards: [BearerIsUser],
      instanceId: id,
      broker: losing(
        engine.startsWith('redis:') ? new RedisBroker({ url: engine }) : new NatsBroker({ url: engine }),
      ),
      drainTimeoutMs: 2_000,
      ...options,
    }),
  ],
  providers: [Rooms],
})(AppModule);

const app = await NestFactory.create(AppModule, new ExpressAdapter(), { logger: ['error'] });
app.enableShutdownHooks(['SIGTERM'], { useProcessExit: true });
await app.listen(0, '127.0.0.1');
const live = app.get(LiveService);
say(live.url());

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  if (asked.revoke !== undefined) revoked.add(asked.revoke);
  if (asked.hear !== undefined) hears = asked.hear;
  if (asked.flood !== undefined) flood(asked);
  if (asked.call === undefined) say({});
  else say(await live[asked.call](...asked.args));
}

function flood({ flood: topic, everyMs }) {
  setInterval(() => live.publish(topic, Date.now()).catch(() => {}), everyMs);
}

function say(what) {
  process.stdout.write(`${typeof what === 'string' ? what : JSON.stringify(what)}\n`);
}
