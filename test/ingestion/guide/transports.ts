import type { INestApplication } from '@nestjs/common';
import { type MicroserviceOptions, Transport } from '@nestjs/microservices';

export async function listenOnRedis(app: INestApplication, host: string, port: number) {
  app.connectMicroservice<MicroserviceOptions>({ transport: Transport.REDIS, options: { host, port } });
  await app.startAllMicroservices();
}

export async function listenOnNats(app: INestApplication, servers: string[]) {
  const options = { servers, queue: 'live' }; // with a queue, only one instance gets each event
  app.connectMicroservice<MicroserviceOptions>({ transport: Transport.NATS, options });
  await app.startAllMicroservices();
}
