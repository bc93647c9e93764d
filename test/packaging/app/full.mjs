// Uses every optional peer: a JWT guard, health by Terminus, metrics by prom-client.
// Run by tarball.spec.ts.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import { SignJWT } from 'jose';
import { JwtConnectionGuard, LiveModule, LiveService } from 'nestjs-live';
import { LiveHealthIndicator, LiveHealthModule } from 'nestjs-live/health';
import { LiveMetrics, LiveMetricsModule } from 'nestjs-live/metrics';
import { LiveTestClient } from 'nestjs-live/testing';

const secret = 'a secret of more than thirty-two bytes';

class App {}
Module({
  imports: [
    LiveModule.forRoot({ port: 0, guards: [JwtConnectionGuard], jwt: { secret } }),
    LiveMetricsModule.forRoot({}),
    TerminusModule,
    LiveHealthModule,
  ],
})(App);

const app = await NestFactory.create(App, { logger: ['error'] });
await app.init();
const url = app.get(LiveService).url();
const refused = await LiveTestClient.connect(url, { token: 'nonsense' }).catch((error) => error);
const token = await new SignJWT({})
  .setProtectedHeader({ alg: 'HS256' })
  .setSubject('ann')
  .setExpirationTime('1h')
  .sign(new TextEncoder().encode(secret));
const client = await LiveTestClient.connect(url, { token });
const welcome = await client.nextOf('welcome');
const { live } = await app.get(LiveHealthIndicator).ready();
const text = await app.get(LiveMetrics).registry.metrics();
const gauge = text.split('\n').find((line) => line.startsWith('processor_live_connections'));
await app.close();
console.log(
  `refused ${refused.statusCode}, welcome ${welcome.user.id}, ready ${live.status}, metrics ${gauge}`,
);
