import 'reflect-metadata';
import type { NestInterceptor } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AppModule, seen } from './app.module.js';
import { drive } from './drive.js';

const counting: NestInterceptor = {
  intercept(context, next) {
    if (context.getType() === 'ws') seen.global += 1;
    return next.handle();
  },
};

async function main(): Promise<void> {
  const adapter = process.argv[2] === 'fastify' ? new FastifyAdapter() : new ExpressAdapter();
  const app = await NestFactory.create(AppModule, adapter, {
    logger: ['error', 'fatal'],
    abortOnError: false,
  });
  app.useGlobalInterceptors(counting);
  await app.init();
  console.log(await drive(app));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
