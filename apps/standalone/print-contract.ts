import { NestFactory } from '@nestjs/core';
import { LiveAsyncApi } from 'nestjs-live/asyncapi';
import { AppModule } from './app.module.js';
import type { ServerPlan } from './server-plan.js';

/**
 * The AsyncAPI document of the server as it is configured. Nothing is started for it.
 *
 * @param side - whose operations it has
 */
export async function contractOf(plan: ServerPlan, side: 'server' | 'client'): Promise<string> {
  const nowhere = { write: () => true };
  const app = await NestFactory.create(AppModule.forRoot(plan, nowhere as never), {
    abortOnError: false,
    logger: false,
  });
  return `${JSON.stringify(await app.get(LiveAsyncApi).document(side), undefined, 2)}\n`;
}
