import {
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  ForbiddenException,
  Injectable,
  type NestInterceptor,
  UseGuards,
  UseInterceptors,
  UsePipes,
  ValidationPipe,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { IsInt } from 'class-validator';
import { concat, concatMap, map, type Observable, of, throwError, timeout } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { LiveHandlers, LiveMessageDto, LiveObservers, LiveTopic } from '../../src/index.js';
import { LiveTestClient } from '../../src/testing/index.js';
import { itOnSockets } from '../support/door.js';
import { type LiveAppOptions, OpenTopics, platforms, startLiveApp } from '../support/live-app.js';
import { LogRecorder } from './support/log-recorder.js';

const asked = vi.fn();

/** Like most guards, it only supports HTTP. */
@Injectable()
class HttpGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    asked(context.getType());
    return context.getType() === 'http';
  }
}

/** Wraps every answer, as many applications do for their HTTP routes. */
@Injectable()
class Envelope implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((data: unknown) => ({ data, statusCode: 200 })));
  }
}

@Injectable()
class FailsLate implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return concat(
      next.handle(),
      throwError(() => new Error('too late')),
    );
  }
}

@Injectable()
class Impatient implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(timeout(50));
  }
}

@Injectable()
class AnswersTwice implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(concatMap((answer: unknown) => of(answer, answer)));
  }
}

@Injectable()
class Never implements CanActivate {
  canActivate(): boolean {
    throw new ForbiddenException('not this one');
  }
}

@LiveTopic('slow/*')
class SlowTopics {
  canSubscribe(): Promise<boolean> {
    return new Promise((resolve) => setTimeout(() => resolve(true), 150));
  }
}

class CountDto extends LiveMessageDto {
  @IsInt()
  readonly count!: number;
}

@LiveHandlers()
class Own {
  @SubscribeMessage('plain')
  plain(): object {
    return { ok: true };
  }

  @SubscribeMessage('guarded')
  @UseGuards(Never)
  guarded(): object {
    return { ok: true };
  }

  @SubscribeMessage('counted')
  @UsePipes(new ValidationPipe())
  @UseInterceptors(Envelope)
  counted(@MessageBody() message: CountDto): number {
    return message.count;
  }
}

const verbs = [
  { type: 'subscribe', id: 1, topic: 'open/1', fields: 'of the future' },
  { type: 'publish', id: 2, topic: 'open/1', data: { a: { b: 1 } }, more: 1 },
  { type: 'unsubscribe', id: 3, topic: 'open/2', more: 1 },
  { type: 'ping', id: 4, more: 1 },
];

const answersTo = (messages: readonly Readonly<Record<string, unknown>>[], id: unknown): unknown[] =>
  messages.filter((message) => message['id'] === id).map(({ type, code }) => code ?? type);

async function connect(setup: LiveAppOptions): Promise<LiveTestClient> {
  const { url } = await startLiveApp(setup);
  const client = await LiveTestClient.connect(url, { token: 'ann' });
  await client.next();
  return client;
}

describe.each(platforms)('Global enhancers and live messages, on %s', (_name, platform) => {
  const globals: LiveAppOptions = {
    platform,
    providers: [
      OpenTopics,
      Own,
      { provide: APP_GUARD, useClass: HttpGuard },
      { provide: APP_INTERCEPTOR, useClass: Envelope },
    ],
    before: (app) => app.useGlobalPipes(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true })),
  };

  // On streams the guards also decide about each POST [L-12.7].
  itOnSockets(
    '[S7] [L-2.1] global enhancers written for HTTP run at the upgrade but not on protocol messages',
    async () => {
      asked.mockClear();
      const client = await connect(globals);
      for (const message of verbs) client.send(message);
      const messages = await client.settle();
      expect(messages.map(({ type }) => type).toSorted()).toEqual([
        'event',
        'pong',
        'published',
        'subscribed',
        'unsubscribed',
      ]);
      expect(asked.mock.calls).toEqual([['http']]);
    },
  );

  it("[S7] an application's messages run through their handler's own enhancers but not through global ones", async () => {
    const client = await connect(globals);
    const answers = [];
    for (const message of [
      { type: 'plain' },
      { type: 'guarded' },
      { type: 'counted', count: 7 },
      { type: 'counted', count: 'x' },
    ]) {
      answers.push(await client.request({ ...message, id: answers.length }));
    }
    expect(answers).toEqual([
      { type: 'plain', id: 0, data: { ok: true } },
      { type: 'error', id: 1, code: 'forbidden', message: 'not this one' },
      { type: 'counted', id: 2, data: { data: 7, statusCode: 200 } },
      {
        type: 'error',
        id: 3,
        code: 'validation-failed',
        message: 'count must be an integer number',
      },
    ]);
  });

  it.each([
    [undefined, 1],
    [false, 0],
    [true, 0],
  ])(
    '[S7] with globalEnhancersOnMessages: %s, the start warns %i times about handlers without the global guards',
    async (globalEnhancersOnMessages, times) => {
      const log = new LogRecorder();
      await startLiveApp({
        ...globals,
        options: globalEnhancersOnMessages === undefined ? {} : { globalEnhancersOnMessages },
        before: log.use,
      });
      const warnings = log.live('warn').filter((each) => String(each).includes('globalEnhancersOnMessages'));
      expect(warnings).toHaveLength(times);
      if (times > 0) expect(warnings[0]).toMatch(/HttpGuard, Envelope.* of Own:/);
    },
  );

  const onMessages = (interceptor: new () => NestInterceptor): LiveAppOptions => ({
    platform,
    options: { globalEnhancersOnMessages: true },
    providers: [OpenTopics, SlowTopics, Own, { provide: APP_INTERCEPTOR, useClass: interceptor }],
  });

  it('[L-2.14] an interceptor that throws after the answer is logged, and the peer sees no error', async () => {
    const { app, url } = await startLiveApp(onMessages(FailsLate));
    const failed = vi.fn();
    app.get(LiveObservers).add({ failed });
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    for (const message of [...verbs, { type: 'plain', id: 5 }]) client.send(message);
    const messages = await client.settle();
    expect([1, 2, 3, 4, 5].map((id) => answersTo(messages, id))).toEqual([
      ['subscribed'],
      ['published'],
      ['unsubscribed'],
      ['pong'],
      ['plain'],
    ]);
    expect(failed).toHaveBeenCalledTimes(5);
    expect(failed.mock.calls[0]?.[1]).toMatchObject({ message: 'too late' });
  });

  it('[L-2.14] a subscribe that an interceptor has answered with an error is not answered again', async () => {
    const client = await connect(onMessages(Impatient));
    client.send({ type: 'subscribe', id: 1, topic: 'slow/1' });
    expect(await client.next()).toMatchObject({ type: 'error', id: 1 });
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(answersTo(await client.settle(), 1)).toEqual([]);
  });

  it('[L-2.14] an interceptor that repeats the answer of a verb causes one answer', async () => {
    const client = await connect(onMessages(AnswersTwice));
    client.send({ type: 'publish', id: 1, topic: 'open/1', data: 1 });
    expect(answersTo(await client.settle(), 1)).toEqual(['published']);
  });
});
