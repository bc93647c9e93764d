// The server of one contestant for bench/jitter.js, in its own process. Publishes on request.
import { createServer } from 'node:http';
import process from 'node:process';
import { listen } from '../peers/peer.js';

const [, , name, dist] = process.argv;

const start = {
  'nestjs-live': startLive,
  'socket.io': () => startSocketIo(),
  'socket.io-recovery': startRecovering,
};

async function startLive() {
  await import('reflect-metadata');
  const { Module } = await import('@nestjs/common');
  const { NestFactory } = await import('@nestjs/core');
  const { LiveModule, LiveService, LiveTopic } = await import(`${dist}index.js`);

  class News {
    canSubscribe() {
      return true;
    }
  }
  LiveTopic('news', { history: { size: 300 } })(News);
  class App {}
  Module({ imports: [LiveModule.forRoot({ port: 0, dangerouslyPublic: true })], providers: [News] })(App);
  const app = await NestFactory.create(App, { logger: ['error'] });
  await app.init();
  const live = app.get(LiveService);
  return { port: Number(new URL(live.url()).port), publish: (data) => void live.publish('news', data) };
}

function startRecovering() {
  return startSocketIo({
    connectionStateRecovery: { maxDisconnectionDuration: 120_000, skipMiddlewares: true },
  });
}

async function startSocketIo(options = {}) {
  const { Server } = await import('socket.io');
  const http = createServer();
  const io = new Server(http, { transports: ['websocket'], serveClient: false, ...options });
  io.on('connection', (socket) => {
    socket.on('subscribe', (answer) => {
      void socket.join('news');
      answer();
    });
  });
  return { port: await listen(http), publish: (data) => io.to('news').emit('event', data) };
}

const { port, publish } = await start[name]();
process.on('message', (data) => publish(data));
process.on('disconnect', () => process.exit(0));
process.send({ port });
