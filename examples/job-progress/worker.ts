import { setTimeout as sleep } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import { LiveService } from 'nestjs-live';
import { AppModule } from './app.module.js';

// A process without an HTTP server. It only publishes; no client connects to it.
const app = await NestFactory.createApplicationContext(AppModule);
const live = app.get(LiveService);
const [topic = 'jobs/ann/1'] = process.argv.slice(2);
for (let percent = 0; percent <= 100; percent += 20) {
  await live.publish(topic, { percent, done: percent === 100 });
  await sleep(100); // the work
}
await app.close();
