import {
  type ArgumentMetadata,
  type CallHandler,
  type CanActivate,
  Catch,
  type ExceptionFilter,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  type PipeTransform,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  ValidationPipe,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { ConnectedSocket, MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { map, type Observable, tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  type LiveConnection,
  LiveError,
  LiveGateway,
  LiveMessageDto,
  PublishDto,
  SubscribeDto,
} from '../../src/index.js';
import { LiveTestClient } from '../../src/testing/index.js';
import { OpenTopics, platforms, startLiveApp, type LiveAppOptions } from '../support/live-app.js';

/** Denies messages about the topic `open/closed`. */
@Injectable()
class NotClosed implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'ws') return true;
    return context.switchToWs().getData<{ topic?: string }>().topic !== 'open/closed';
  }
}

@Injectable()
class UpperCaseTopics implements PipeTransform {
  transform(value: unknown, { type }: ArgumentMetadata): unknown {
    const message = value as { topic?: string };
    return type === 'body' && message.topic ? { ...message, topic: message.topic.toUpperCase() } : value;
  }
}

@Injectable()
class Trace implements NestInterceptor {
  static readonly seen: unknown[] = [];

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const ws = context.switchToWs();
    const { id } = ws.getData<{ id: unknown }>();
    const before = [ws.getPattern(), id, ws.getClient<LiveConnection>().user?.id];
    return next
      .handle()
      .pipe(tap((answer) => Trace.seen.push([...before, (answer as { type?: string })?.type])));
  }
}

@Injectable()
class Stamp implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((answer) => (answer ? { ...(answer as object), stamped: true } : answer)));
  }
}

@Catch(LiveError)
class Politely implements ExceptionFilter<LiveError> {
  catch(error: LiveError): never {
    throw new LiveError(error.code, `Sorry: ${error.message}`);
  }
}

const connect = async (setup: LiveAppOptions): Promise<LiveTestClient> => {
  const { url } = await startLiveApp(setup);
  const client = await LiveTestClient.connect(url, { token: 'ann' });
  await client.next();
  return client;
};

const forbidden = { type: 'error', code: 'forbidden', message: 'Forbidden resource' };

describe.each(platforms)('What Nest puts around handlers, on %s', (_name, platform) => {
  describe('on a subclass of LiveGateway', () => {
    class OwnGateway extends LiveGateway {
      @SubscribeMessage('subscribe')
      @UseGuards(NotClosed)
      @UseFilters(Politely)
      override subscribe(
        @ConnectedSocket() connection: LiveConnection,
        @MessageBody() message: SubscribeDto,
      ): unknown {
        return super.subscribe(connection, message);
      }

      @SubscribeMessage('publish')
      @UsePipes(UpperCaseTopics)
      @UseInterceptors(Stamp)
      override publish(
        @ConnectedSocket() connection: LiveConnection,
        @MessageBody() message: PublishDto,
      ): unknown {
        return super.publish(connection, message);
      }

      @SubscribeMessage('greet')
      greet(): string {
        return 'hello';
      }
    }

    it('[S7] guards, filters, pipes and interceptors of one handler work, and other handlers are unaffected', async () => {
      const client = await connect({ platform, gateway: OwnGateway });
      const answers = [];
      for (const message of [
        { type: 'subscribe', topic: 'open/closed' },
        { type: 'subscribe', topic: 'shut/1' },
        { type: 'subscribe', topic: 'open/a' },
        { type: 'publish', topic: 'open/x', data: 1 },
        { type: 'unsubscribe', topic: 'open/a' },
        { type: 'greet' },
        { type: 'ping' },
      ]) {
        answers.push(await client.request({ ...message, id: answers.length }));
      }
      const epoch = expect.any(String) as string;
      expect(answers).toEqual([
        { ...forbidden, id: 0, topic: 'open/closed' },
        {
          type: 'error',
          id: 1,
          code: 'forbidden',
          message: 'Sorry: You may not do this with this topic',
          topic: 'shut/1',
        },
        { type: 'subscribed', id: 2, topic: 'open/a', epoch, offset: 0, recovered: false },
        {
          type: 'error',
          id: 3,
          code: 'forbidden',
          message: 'You may not do this with this topic',
          topic: 'open/x',
        },
        { type: 'unsubscribed', id: 4, topic: 'open/a' },
        { type: 'greet', id: 5, data: 'hello' },
        { type: 'pong', id: 6 },
      ]);
    });

    it('[S7] an interceptor can change an answer, which keeps its id', async () => {
      class Stamping extends LiveGateway {}
      UseInterceptors(Stamp)(Stamping);
      const client = await connect({ platform, gateway: Stamping });
      expect(await client.request({ type: 'publish', id: 'p', topic: 'open/1', data: 1 })).toEqual({
        type: 'published',
        id: 'p',
        topic: 'open/1',
        epoch: expect.any(String) as string,
        offset: 1,
        stamped: true,
      });
      expect(await client.request({ type: 'subscribe', id: 's', topic: 'open/1' })).not.toHaveProperty(
        'stamped',
      );
    });
  });

  it('[S7] global guards, pipes and interceptors run on live messages with globalEnhancersOnMessages', async () => {
    const client = await connect({
      platform,
      options: { globalEnhancersOnMessages: true },
      providers: [
        OpenTopics,
        { provide: APP_GUARD, useClass: NotClosed },
        { provide: APP_INTERCEPTOR, useClass: Trace },
      ],
      before: (app) => app.useGlobalPipes(new UpperCaseTopics()),
    });
    Trace.seen.length = 0;
    client.send({ type: 'publish', id: 1, topic: 'open/1', data: 1 });
    client.send({ type: 'subscribe', id: 2, topic: 'open/closed' });
    client.send({ type: 'unsubscribe', id: 3, topic: 'open/1' });
    const messages = await client.settle();
    expect(messages.map(({ id, code, topic }) => [id, code, topic]).toSorted()).toEqual([
      [1, 'forbidden', 'open/1'],
      [2, 'forbidden', 'open/closed'],
      [3, undefined, 'OPEN/1'],
    ]);
    expect(Trace.seen).toEqual([
      ['unsubscribe', 3, 'ann', 'unsubscribed'],
      ['ping', 'settle-1', 'ann', 'pong'],
    ]);
  });

  it.each(['APP_PIPE', 'useGlobalPipes'])(
    '[L-2.6] a strict ValidationPipe set by %s accepts every valid message and keeps nested data intact',
    async (how) => {
      const pipe = new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true });
      const client = await connect({
        platform,
        options: { globalEnhancersOnMessages: true },
        providers: [OpenTopics, ...(how === 'APP_PIPE' ? [{ provide: APP_PIPE, useValue: pipe }] : [])],
        before: (app) => (how === 'APP_PIPE' ? undefined : app.useGlobalPipes(pipe)),
      });
      const data = [{ a: { b: [1, null, { c: 'x' }] }, type: 'x' }, [[]], 'text', 0, null, false];
      const { epoch } = (await client.request({ type: 'subscribe', id: 0, topic: 'open/1' })) as {
        epoch?: unknown;
      };
      for (const [i, one] of data.entries()) {
        client.send({ type: 'publish', id: i + 1, topic: 'open/1', data: one, key: 'k' });
      }
      const messages = await client.settle();
      expect(messages.filter(({ type }) => type === 'event').map(({ data }) => data)).toEqual(data);
      expect(messages.filter(({ type }) => type === 'published')).toHaveLength(data.length);
      const since = { epoch, offset: 0 };
      expect(await client.request({ type: 'subscribe', id: 7, topic: 'open/1', since })).toMatchObject({
        type: 'subscribed',
      });
      expect(await client.request({ type: 'unsubscribe', id: 8, topic: 'open/1' })).toMatchObject({ id: 8 });
    },
  );

  it('[L-2.6] an invalid field is still a protocol-violation that names it when the host has a ValidationPipe', async () => {
    const client = await connect({
      platform,
      options: { globalEnhancersOnMessages: true },
      before: (app) => app.useGlobalPipes(new ValidationPipe({ whitelist: true, transform: true })),
    });
    for (const [field, message] of [
      ['topic', { type: 'subscribe', topic: '$x' }],
      ['since', { type: 'subscribe', topic: 'open/1', since: 7 }],
      ['data', { type: 'publish', topic: 'open/1' }],
      ['key', { type: 'publish', topic: 'open/1', data: 1, key: '' }],
    ] as const) {
      const error = await client.request({ ...message, id: 1 });
      expect(error).toMatchObject({ type: 'error', id: 1, code: 'protocol-violation' });
      expect(error['message']).toContain(field);
    }
  });

  it("[S7] the host validates its own DTO that extends LiveMessageDto, and the peer gets the pipe's text", async () => {
    class GreetDto extends LiveMessageDto {}
    class Greeting extends LiveGateway {
      @SubscribeMessage('greet')
      greet(@MessageBody() message: GreetDto): object {
        return { got: message instanceof GreetDto };
      }
    }
    const client = await connect({
      platform,
      options: { globalEnhancersOnMessages: true },
      gateway: Greeting,
      before: (app) =>
        app.useGlobalPipes(
          new ValidationPipe({ forbidNonWhitelisted: true, whitelist: true, transform: true }),
        ),
    });
    expect(await client.request({ type: 'greet', id: 1 })).toMatchObject({ data: { got: true } });
    expect(await client.request({ type: 'greet', id: 2, more: 1 })).toEqual({
      type: 'error',
      id: 2,
      code: 'validation-failed',
      message: 'property more should not exist',
    });
  });
});
