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

/** What the hooks of feeds heard, and how often each state was asked for. */
const heard = [];
const asked = {};

class Feeds {
  canSubscribe() {
    return true;
  }
  onOccupied(_params, topic) {
    heard.push(`${topic} occupied`);
  }
  onVacated(_params, topic) {
    heard.push(`${topic} vacated`);
  }
}
LiveTopic('feed/:id', { occupancy: { graceMs: 300 } })(Feeds);

class States {
  canSubscribe() {
    return true;
  }
  snapshot(_params, topic) {
    asked[topic] = (asked[topic] ?? 0) + 1;
    return { size: 1 };
  }
}
LiveTopic('state/:id', { poll: { everyMs: 500 }, occupancy: { graceMs: 0 } })(States);

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
  providers: [Rooms, Feeds, States],
})(AppModule);

const app = await NestFactory.create(AppModule, new ExpressAdapter(), { logger: ['error'] });
app.enableShutdownHooks(['SIGTERM'], { useProcessExit: true });
await app.listen(0, '127.0.0.1');
const live = app.get(LiveService);
say(live.url());

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  if (request.revoke !== undefined) revoked.add(request.revoke);
  if (request.hear !== undefined) hears = request.hear;
  if (request.flood !== undefined) flood(request);
  if (request.call === undefined) say({ heard, asked });
  else say(await live[request.call](...request.args));
}

function flood({ flood: topic, everyMs }) {
  setInterval(() => live.publish(topic, Date.now()).catch(() => {}), everyMs);
}

function say(what) {
  process.stdout.write(`${typeof what === 'string' ? what : JSON.stringify(what)}\n`);
}
