// An instance of socket.io for bench/drain.js, with the adapter and the recovery that its
// documentation recommends for several instances.
import { createServer } from 'node:http';
import process from 'node:process';
import { createClient } from '@redis/client';
import { createAdapter } from '@socket.io/redis-streams-adapter';
import { Server } from 'socket.io';
import { listen } from '../peers/peer.js';
import { answer } from './asking.js';
import { topicName } from './scenarios.js';
import { nowMs } from './shared-clock.js';

const [, , , redisUrl] = process.argv;
const instanceId = `bench-${String(process.pid)}`;
const published = [];
let io;
let timer;

answer({
  async start() {
    const redis = createClient({ url: redisUrl });
    await redis.connect();
    const server = createServer();
    io = new Server(server, {
      adapter: createAdapter(redis),
      connectionStateRecovery: { maxDisconnectionDuration: 120_000 },
      transports: ['websocket'],
      serveClient: false,
    });
    io.on('connection', (socket) => {
      socket.emit('hello', instanceId);
      socket.on('join', async (topic, done) => {
        await socket.join(topic);
        done();
      });
    });
    process.once('SIGTERM', () => void io.close(() => process.exit()));
    const port = await listen(server);
    return { url: `ws://127.0.0.1:${String(port)}`, instanceId };
  },

  publish({ topics, perSecond }) {
    published.length = topics;
    published.fill(0);
    let turn = 0;
    timer = setInterval(() => {
      const topic = turn++ % topics;
      io.to(topicName(topic)).emit('event', { n: published[topic]++, atMs: nowMs() });
    }, 1_000 / perSecond);
  },

  stopPublishing() {
    clearInterval(timer);
    return published;
  },

  connections() {
    return io.engine.clientsCount;
  },
});
