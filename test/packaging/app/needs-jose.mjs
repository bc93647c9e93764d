// Imports the JWT guard without jose installed.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { JwtConnectionGuard, LiveModule } from 'nestjs-live';

class App {}
Module({
  imports: [LiveModule.forRoot({ port: 0, guards: [JwtConnectionGuard], jwt: { secret: 'x'.repeat(32) } })],
})(App);
const app = await NestFactory.create(App, new FastifyAdapter(), { logger: false, abortOnError: false });
await app.init();
