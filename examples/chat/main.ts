import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { ChatModule } from './chat.module.js';

async function bootstrap() {
  const app = await NestFactory.create<NestExpressApplication>(ChatModule);
  // Serves the page, and the client that it imports. With a bundler you do not need these lines.
  app.useStaticAssets('public');
  const library = dirname(fileURLToPath(import.meta.resolve('nestjs-live/package.json')));
  app.useStaticAssets(join(library, 'dist'), { prefix: '/nestjs-live' });
  // A deploy drains the connections instead of cutting them, and the exit code is 0.
  app.enableShutdownHooks(['SIGTERM', 'SIGINT'], { useProcessExit: true });
  await app.listen(process.env.PORT ?? 3000);
}
await bootstrap();
