// Starts a live server in any runtime:
// `<runtime> runtime-server.mjs <main module of the package> [option …]`
// Prints `started`, or why the server did not start.
import 'reflect-metadata';
import process from 'node:process';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

const [, , module, ...options] = process.argv;
const { LiveModule } = await import(module);

class AppModule {}
Module({
  imports: [
    LiveModule.forRoot({
      port: 0,
      host: '127.0.0.1',
      dangerouslyPublic: true,
      ...Object.fromEntries(options.map((option) => [option, true])),
    }),
  ],
})(AppModule);

try {
  const app = await NestFactory.create(AppModule, { logger: ['warn'], abortOnError: false });
  await app.listen(0, '127.0.0.1');
  console.log('started');
  await app.close();
} catch (error) {
  console.log(error.message);
}
process.exit();
