import {
  Catch,
  ConflictException,
  ForbiddenException,
  Global,
  HttpException,
  Inject,
  Injectable,
  Module,
  Scope,
  type Type,
  UseFilters,
  UsePipes,
  ValidationPipe,
} from '@nestjs/common';
import { ConnectedSocket, MessageBody, SubscribeMessage, WsException } from '@nestjs/websockets';
import { IsInt, IsString, Min } from 'class-validator';
import { of, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  ConnectionRegistry,
  type LiveConnection,
  LiveError,
  LiveGateway,
  LiveHandlers,
  LiveModule,
  SubscribeDto,
} from '../../src/index.js';
import { LiveTestClient } from '../../src/testing/index.js';
import { BearerIsUser, OpenTopics, platforms, startLiveApp } from '../support/live-app.js';
import { createHost, failureOf } from './support/host-app.js';
import { LogRecorder } from './support/log-recorder.js';

@Injectable()
class Depot {
  readonly doors = 4;
}

class OpenDoorDto {
  @IsString()
  readonly type!: string;

  readonly id?: number;

  @IsInt()
  @Min(1)
  readonly door!: number;
}

/** Handlers that a host writes for its own messages. */
@LiveHandlers()
class DepotHandlers {
  constructor(private readonly depot: Depot) {}

  @SubscribeMessage('doors')
  doors(): number {
    return this.depot.doors;
  }

  @SubscribeMessage('open')
  @UsePipes(new ValidationPipe())
  async open(@MessageBody() { door }: OpenDoorDto): Promise<object> {
    await Promise.resolve();
    return { type: 'opened', door };
  }

  @SubscribeMessage('who')
  who(@ConnectedSocket() connection: LiveConnection, @MessageBody('loud') loud: boolean): object {
    return { name: connection.user?.id, loud };
  }

  @SubscribeMessage('quiet')
  quiet(): void {}

  @SubscribeMessage('null')
  null(): null {
    return null;
  }

  @SubscribeMessage('count')
  count(): unknown {
    return of(1, 2, { type: 'counted' });
  }

  @SubscribeMessage('later')
  later(): unknown {
    return Promise.resolve(of('now'));
  }

  @SubscribeMessage('stock')
  stock(): object {
    return { event: 'x', data: 1 };
  }

  @SubscribeMessage('stray')
  stray(): object {
    return { type: 'strayed', id: "not the request's" };
  }

  @SubscribeMessage('broken')
  broken(): unknown {
    return throwError(() => new Error('secret'));
  }
}

const failures: Record<string, () => unknown> = {
  live: () => new LiveError('unavailable', 'The depot is closed', { retryAfterMs: 500 }),
  ws: () => new WsException('No such door'),
  wsObject: () => new WsException({ message: 'No such door', door: 7 }),
  forbidden: () => new ForbiddenException('Not your depot'),
  conflict: () => new ConflictException('secret'),
  busy: () => new HttpException('Come back later', 503),
  many: () => new HttpException('Too many doors', 429),
  plain: () => new Error('secret'),
  text: () => 'secret',
  nothing: () => undefined,
};

@LiveHandlers()
class FailingHandlers {
  @SubscribeMessage('fail')
  fail(@MessageBody('how') how: string): never {
    throw failures[how]?.();
  }

  @SubscribeMessage('reject')
  async reject(@MessageBody('how') how: string): Promise<never> {
    await Promise.resolve();
    throw failures[how]?.();
  }
}

const internal = { code: 'internal', message: 'The server failed to handle this message' };

describe.each(platforms)("A host's own handlers, on %s", (_name, platform) => {
  const connect = async (provider: new (...args: never[]) => object, log = new LogRecorder()) => {
    const { url } = await startLiveApp({
      platform,
      providers: [OpenTopics, Depot, provider],
      before: log.use,
    });
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    await client.next();
    return client;
  };

  it('[S7] [L-2.13] a handler is called once per message, and its result is sent with the id and type', async () => {
    const client = await connect(DepotHandlers);
    const messages = [
      { type: 'doors', id: 1 },
      { type: 'doors' },
      { type: 'open', id: 'o-1', door: 2 },
      { type: 'who', id: 2, loud: true },
      { type: 'quiet', id: 3 },
      { type: 'null', id: 4 },
      { type: 'count', id: 5 },
      { type: 'later', id: 6 },
      { type: 'stock', id: 7 },
      { type: 'stray', id: 8 },
    ];
    for (const message of messages) client.send(message);
    expect(await client.settle()).toEqual([
      { type: 'doors', id: 1, data: 4 },
      { type: 'doors', data: 4 },
      { type: 'opened', id: 'o-1', door: 2 },
      { type: 'who', id: 2, data: { name: 'ann', loud: true } },
      { type: 'null', id: 4, data: null },
      { type: 'count', id: 5, data: 1 },
      { type: 'count', id: 5, data: 2 },
      { type: 'counted', id: 5 },
      { type: 'later', id: 6, data: 'now' },
      { type: 'stock', id: 7, data: { event: 'x', data: 1 } },
      { type: 'strayed', id: 8 },
    ]);
  });

  it('[S7] [L-2.5] a message of an unhandled type gets not-implemented', async () => {
    const client = await connect(DepotHandlers);
    for (const type of ['close', 'constructor', '__proto__', 'handleConnection', 'open ']) {
      expect(await client.request({ type, id: 1 })).toEqual({
        type: 'error',
        id: 1,
        code: 'not-implemented',
        message: 'Nothing handles this type',
      });
    }
  });

  it("[S7] a handler can validate with its own DTO, and the peer gets the pipe's text", async () => {
    const client = await connect(DepotHandlers);
    expect(await client.request({ type: 'open', id: 1, door: 0 })).toEqual({
      type: 'error',
      id: 1,
      code: 'validation-failed',
      message: 'door must not be less than 1',
    });
  });

  it.each([
    ['live', { code: 'unavailable', message: 'The depot is closed', retryAfterMs: 500 }],
    ['ws', { code: 'validation-failed', message: 'No such door' }],
    ['wsObject', { code: 'validation-failed', message: 'No such door' }],
    ['forbidden', { code: 'forbidden', message: 'Not your depot' }],
    ['busy', { code: 'unavailable', message: 'Come back later' }],
    ['many', { code: 'rate-limited', message: 'Too many doors' }],
    ['conflict', internal],
    ['plain', internal],
    ['text', internal],
    ['nothing', internal],
  ])('[S8] [L-2.10] an exception of a handler becomes an error: %s', async (how, error) => {
    const log = new LogRecorder();
    const client = await connect(FailingHandlers, log);
    const connectionId = client.transcript[0]?.['connectionId'];
    client.send({ type: 'fail', id: 1, how });
    client.send({ type: 'reject', id: 2, how });
    expect(await client.settle()).toEqual([
      { type: 'error', id: 1, ...error },
      { type: 'error', id: 2, ...error },
    ]);
    // Failures of the server are logged with the connection's id, mistakes of the peer are not.
    expect(log.live('error')).toEqual(
      error === internal
        ? [1, 2].map(() => ({ msg: 'failed: handling a message', connectionId, err: failures[how]?.() }))
        : [],
    );
  });

  it('[S8] [L-2.11] an Observable that fails is an internal error without its message', async () => {
    const client = await connect(DepotHandlers);
    expect(await client.request({ type: 'broken', id: 1 })).toEqual({ type: 'error', id: 1, ...internal });
  });

  it("[S7] filters of a class or method run before the protocol's filter, in any decorator order", async () => {
    @Catch(ConflictException)
    class ConflictFilter {
      catch(): never {
        throw new LiveError('limit-exceeded', 'The door is taken');
      }
    }
    const handlers = () => {
      class Handlers {
        @SubscribeMessage('fail')
        fail(): never {
          throw new ConflictException();
        }
      }
      return Handlers;
    };
    const above = handlers();
    LiveHandlers()(above);
    UseFilters(ConflictFilter)(above);
    const below = handlers();
    UseFilters(ConflictFilter)(below);
    LiveHandlers()(below);
    const method = handlers();
    LiveHandlers()(method);
    UseFilters(ConflictFilter)(
      method.prototype,
      'fail',
      Object.getOwnPropertyDescriptor(method.prototype, 'fail') as PropertyDescriptor,
    );
    for (const provider of [above, below, method]) {
      const client = await connect(provider);
      expect(await client.request({ type: 'fail', id: 1 })).toMatchObject({ code: 'limit-exceeded' });
    }
  });

  it('[S7] several classes handle their own types, and need no @WebSocketServer to answer', async () => {
    const { url } = await startLiveApp({
      platform,
      providers: [OpenTopics, Depot, DepotHandlers, FailingHandlers],
    });
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    expect(await client.request({ type: 'doors', id: 1 })).toMatchObject({ data: 4 });
    expect(await client.request({ type: 'fail', id: 2, how: 'ws' })).toMatchObject({ type: 'error' });
    expect(await client.request({ type: 'subscribe', id: 3, topic: 'open/1' })).toMatchObject({
      type: 'subscribed',
    });
  });
});

@Injectable({ scope: Scope.REQUEST })
class PerRequest {}

describe.each(platforms)("A host's handlers at the start, on %s", (_name, platform) => {
  const startFailure = async (
    providers: (new (...args: never[]) => object)[],
    gateway?: Type<LiveGateway>,
  ): Promise<string> => {
    const live = LiveModule.forRoot({ port: 0, guards: [BearerIsUser], ...(gateway && { gateway }) });
    const app = await createHost(platform, { imports: [live], providers: [OpenTopics, ...providers] });
    return failureOf(app.init());
  };

  it.each(['subscribe', 'unsubscribe', 'publish', 'auth', 'ping'])(
    "[S7] the application does not start if a class handles the protocol's own %j, and the error names the fix",
    async (type) => {
      @LiveHandlers()
      class MyHandlers {
        @SubscribeMessage(type)
        mine(): void {}
      }
      expect(await startFailure([MyHandlers])).toBe(
        `LiveModule: MyHandlers handles '${type}', which the protocol has already. Choose another type; or extend ` +
          'LiveGateway, override its handler, and name the class: LiveModule.forRoot({ gateway: MyHandlers }).',
      );
    },
  );

  it('[S7] a subclass of LiveGateway has a constructor of its own', async () => {
    const counted: string[] = [];
    @Injectable()
    class DoorGateway extends LiveGateway {
      @Inject(ConnectionRegistry)
      private readonly registry!: ConnectionRegistry;

      constructor(private readonly depot: Depot) {
        super();
      }

      @SubscribeMessage('subscribe')
      override subscribe(
        @ConnectedSocket() connection: LiveConnection,
        @MessageBody() message: SubscribeDto,
      ): unknown {
        counted.push(`${message.topic} ${String(this.depot.doors)} ${String(this.registry.size)}`);
        return super.subscribe(connection, message);
      }
    }
    @Global()
    @Module({ providers: [Depot], exports: [Depot] })
    class DepotModule {}
    const { url } = await startLiveApp({
      platform,
      gateway: DoorGateway,
      imports: [DepotModule],
      providers: [OpenTopics],
    });
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    expect(await client.request({ type: 'subscribe', id: 1, topic: 'open/1' })).toMatchObject({
      type: 'subscribed',
    });
    expect(counted).toEqual(['open/1 4 1']);
  });

  it('[S7] the application does not start if a LiveGateway subclass is a provider but not the "gateway"', async () => {
    class MyGateway extends LiveGateway {}
    expect(await startFailure([MyGateway])).toContain('LiveModule.forRoot({ gateway: MyGateway })');
  });

  it('[S7] the application does not start if two classes handle the same type, and the error names both', async () => {
    const twin = (name: string) => {
      @LiveHandlers()
      class Twin {
        @SubscribeMessage('x')
        x(): void {}
      }
      Object.defineProperty(Twin, 'name', { value: name });
      return Twin;
    };
    expect(await startFailure([twin('One'), twin('Other')])).toBe(
      "LiveModule: One and Other both handle messages of type 'x'. Keep one of them.",
    );
  });

  it('[S8] the application does not start if a subclass of a handlers class lacks @LiveHandlers()', async () => {
    class MoreFailing extends FailingHandlers {}
    expect(await startFailure([MoreFailing])).toBe(
      'LiveModule: MoreFailing extends a class of handlers. Write @LiveHandlers() on it, too.',
    );
  });

  it('[S7] the application does not start if a handlers class or the gateway is request-scoped', async () => {
    @LiveHandlers()
    class MyHandlers {
      constructor(readonly perRequest: PerRequest) {}
    }
    const words =
      'MyHandlers, or something it injects, is request-scoped, but a live connection is no request. Make it a ' +
      'singleton; what belongs to a connection comes with @ConnectedSocket().';
    expect(await startFailure([MyHandlers, PerRequest])).toBe(`LiveModule: ${words}`);
    @Injectable({ scope: Scope.REQUEST })
    class MyGateway extends LiveGateway {}
    expect(await startFailure([], MyGateway)).toContain(
      'MyGateway, or something it injects, is request-scoped',
    );
  });
});
