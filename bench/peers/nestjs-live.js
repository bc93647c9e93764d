import { createHmac } from 'node:crypto';
import { brokerOn } from '../lib/engines.js';
import { payloads } from '../lib/payload.js';
import { note, NoteGuard, notesPerAnswer, onNote } from './notes.js';

export const title = 'nestjs-live';

const secret = 'only-for-the-benchmark-0123456789abcdef';

/** @type {import('./peer.js').Dialect} */
export const dialect = {
  handshake: (index) => ({
    path: '/live',
    headers: ['Sec-WebSocket-Protocol: live.v1', `Authorization: Bearer ${tokenOf(`user-${String(index)}`)}`],
  }),
  opened: () => ({}),
  heard: (text, topics) => {
    if (text.startsWith('{"type":"welcome"')) {
      return { welcome: true, say: topics.map((topic) => JSON.stringify({ type: 'subscribe', topic })) };
    }
    if (text.startsWith('{"type":"subscribed"')) return { subscribed: 1 };
    if (text.startsWith('{"type":"lost"')) return { lost: JSON.parse(text).count };
    if (text.startsWith('{"type":"note"')) return { answered: notesPerAnswer };
    if (text.startsWith('{"type":"published"')) return { answered: 1 };
    throw new Error(`Unexpected: ${text}`);
  },
  // `{"type":"event"`: no other message has a `v` at this position.
  isEvent: (bytes, start, end) => end - start > 10 && bytes[start + 10] === 0x76,
  requests: {
    note: JSON.stringify({ type: 'note', ...note }),
    publish: JSON.stringify({ type: 'publish', topic: 'bench/0', data: note }),
  },
};

/**
 * A Nest application with everything enabled: a token guard, the gateway, metrics, logs by pino.
 */
export async function start({ dist, topic = {}, module = {}, store }) {
  await import('reflect-metadata');
  const { Module, UseGuards } = await import('@nestjs/common');
  const { NestFactory } = await import('@nestjs/core');
  const { Logger, LoggerModule } = await import('nestjs-pino');
  const {
    ConnectionRegistry,
    JwtConnectionGuard,
    LiveGateway,
    LiveHandlers,
    LiveModule,
    LiveService,
    LiveTopic,
  } = await import(`${dist}index.js`);
  const { LiveMetricsModule } = await import(`${dist}nest/metrics/index.js`);

  class BenchTopics {
    canSubscribe(user) {
      return user !== null;
    }
    canPublish(user) {
      return user !== null;
    }
  }
  const { positionSchema } = topic.data === 'valibot' ? await import('../lib/position-schema.js') : {};
  const schema = new CountingSchema(positionSchema);
  LiveTopic('bench/:number', topic.data === undefined ? topic : { ...topic, data: schema })(BenchTopics);

  class Notes {}
  await onNote(Notes, (count) => ({ count }));
  LiveHandlers()(Notes);
  // A guard in front of each message, as the application's own handler has.
  class Gateway extends LiveGateway {}
  UseGuards(NoteGuard)(Gateway);

  const closes = new Closes();
  class App {}
  Module({
    imports: [
      LoggerModule.forRoot({ pinoHttp: { level: 'info' } }),
      LiveModule.forRoot({
        port: 0,
        guards: [JwtConnectionGuard],
        gateway: Gateway,
        jwt: { secret },
        onClose: (connection, code) => closes.note(connection, code),
        ...(store !== undefined && { broker: await brokerOn(store, dist) }),
        ...module,
      }),
      LiveMetricsModule,
    ],
    providers: [BenchTopics, Notes],
  })(App);
  const app = await NestFactory.create(App, { bufferLogs: true });
  app.useLogger(app.get(Logger));
  await app.init();

  const live = app.get(LiveService);
  if (topic.data !== undefined) await live.publish('bench/0', payloads.position());
  return {
    port: Number(new URL(live.url()).port),
    publish: (topic, data, key) => live.publish(topic, data, key === undefined ? {} : { key }),
    tell: () => {
      closes.noteQueues(app.get(ConnectionRegistry));
      return { ...live.stats(), closes: closes.byCode };
    },
    validates: schema.calls > 0,
    features: 'JwtConnectionGuard, LiveGateway, LiveMetricsModule, logs by nestjs-pino',
  };
}

/**
 * Connections closed by code: the count, the first and last time, and the longest wait for a queue.
 */
class Closes {
  byCode = {};
  waitingSinceMs = new Map();

  /** Called now and then: records since when each connection has queued bytes. */
  noteQueues(connections) {
    const nowMs = performance.now();
    for (const connection of connections) {
      if (connection.outbox.queuedBytes === 0) this.waitingSinceMs.delete(connection);
      else if (!this.waitingSinceMs.has(connection)) this.waitingSinceMs.set(connection, nowMs);
    }
  }

  note(connection, code) {
    const nowMs = performance.now();
    const its = (this.byCode[code] ??= { count: 0, firstMs: nowMs, lastMs: nowMs, longestWaitMs: 0 });
    its.count += 1;
    its.lastMs = nowMs;
    its.longestWaitMs = Math.max(its.longestWaitMs, nowMs - (this.waitingSinceMs.get(connection) ?? nowMs));
    this.waitingSinceMs.delete(connection);
  }
}

/**
 * A Standard Schema that accepts what another one accepts, or everything. Builds without schemas
 * never call it.
 */
class CountingSchema {
  calls = 0;

  constructor(schema) {
    const validate = schema?.['~standard'].validate ?? ((value) => ({ value }));
    this['~standard'] = {
      version: 1,
      vendor: 'bench',
      validate: (value) => {
        this.calls += 1;
        return validate(value);
      },
    };
  }
}

/** A hand-made JSON Web Token (RFC 7515), so that the client process needs no library. */
function tokenOf(sub) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1_000) + 3_600;
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub, exp })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}
