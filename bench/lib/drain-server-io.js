// An instance of socket.io for bench/drain.js, with the adapter and the recovery that its
// documentation recommends for several instances.
import { createServer } from 'node:http';
import process from 'node:process';
import { createClient } from '@redis/client';
import { createAdapter } from '@socket.io/redis-streams-adapter';
import { Server } from 'socket.io';
import { listen } from '../peers/peer.js';
import { answer } from './asking.js';
import { steadyTopics } from './steady-topics.js';

const [, , , redisUrl] = process.argv;
const instanceId = `bench-${String(process.pid)}`;
let io;

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

  ...steadyTopics((topic, data) => io.to(topic).emit('event', data)),

  connections() {
    return io.engine.clientsCount;
  },
});
