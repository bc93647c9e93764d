// A Nest application in its own process, on the built package. `worker` only publishes:
// node live-process.mjs <express|fastify> <port of the live server, or "app"> [close-on-input]
// node live-process.mjs worker 0
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { LiveModule, LiveService, LiveTopic } from '../../dist/index.js';

const [platform, port, then] = process.argv.slice(2);

class News {
  canSubscribe() {
    return true;
  }
}
LiveTopic('news')(News);

class AppModule {}
Module({
  imports: [
    LiveModule.forRoot({
      port: port === 'app' ? 'app' : Number(port),
      dangerouslyPublic: true,
      drainTimeoutMs: 2_000,
    }),
  ],
  providers: [News],
})(AppModule);

if (platform === 'worker') {
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  const { offset } = await app.get(LiveService).publish('news', 1);
  process.stdout.write(`published ${offset}\n`);
} else {
  await serve();
}

async function serve() {
  const adapter = platform === 'express' ? new ExpressAdapter() : new FastifyAdapter();
  const app = await NestFactory.create(AppModule, adapter, { logger: ['error'] });
  // Without this option, Nest ends the process by the signal once the hooks are done.
  app.enableShutdownHooks(['SIGTERM', 'SIGINT'], { useProcessExit: true });
  await app.listen(0, '127.0.0.1');
  process.stdout.write(`${app.get(LiveService).url()}\n`);
  if (then !== 'close-on-input') return;
  process.stdin.once('data', () => {
    // The process must end without process.exit(): nothing may be left that keeps it alive.
    process.stdin.destroy();
    void app.close().then(() => process.stdout.write('closed\n'));
  });
}
