import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  type INestApplication,
  type ModuleMetadata,
  type Type,
  UnauthorizedException,
} from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { onTestFinished } from 'vitest';
import {
  type LiveGateway,
  LiveModule,
  type LiveModuleOptions,
  LiveService,
  LiveTopic,
  setConnectionIdentity,
} from '../../src/index.js';
import { onStreams } from './door.js';

const allPlatforms = [
  ['Express', 'express'],
  ['Fastify', 'fastify'],
] as const;

export type Platform = (typeof allPlatforms)[number][1];

/**
 * Every e2e suite runs on both: `describe.each(platforms)('… on %s', (_name, platform) => …)`.
 * On streams it runs on one, because chapter 12 opens that door on both.
 */
export const platforms = onStreams ? allPlatforms.slice(0, 1) : allPlatforms;

/** Accepts `Authorization: Bearer <user id>` as that user. For tests only. */
@Injectable()
export class BearerIsUser implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ headers: { authorization?: string } }>();
    const id = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (id === undefined) throw new UnauthorizedException();
    setConnectionIdentity(request, { user: { id } });
    return true;
  }
}

/** `open/*`: everybody may subscribe and publish. */
@LiveTopic('open/*')
export class OpenTopics {
  canSubscribe(): boolean {
    return true;
  }

  canPublish(): boolean {
    return true;
  }
}

export interface LiveAppOptions {
  readonly platform?: Platform;
  readonly options?: LiveModuleOptions;
  readonly guards?: readonly Type<CanActivate>[];
  readonly gateway?: Type<LiveGateway>;
  readonly imports?: ModuleMetadata['imports'];
  readonly providers?: ModuleMetadata['providers'];
  readonly controllers?: ModuleMetadata['controllers'];
  /** Overrides guards and providers before the module is compiled. */
  readonly override?: (builder: TestingModuleBuilder) => TestingModuleBuilder;
  /** Runs last before `app.init()`, for example `useWebSocketAdapter`. */
  readonly before?: (app: INestApplication) => unknown;
  /** Makes the application's HTTP server listen on a free port. @default only with `port: 'app'` */
  readonly listen?: boolean;
}

export interface LiveApp {
  readonly app: INestApplication;
  readonly live: LiveService;
  /** The URL for clients. */
  readonly url: string;
  /** The URL of the application's own HTTP server, if it listens. */
  readonly httpUrl: string;
}

/** A Nest application with the live module on a free port, closed when the test has finished. */
export async function startLiveApp(setup: LiveAppOptions = {}): Promise<LiveApp> {
  const {
    platform = 'express',
    options = {},
    guards = [BearerIsUser],
    gateway,
    override = (same) => same,
  } = setup;
  const live = LiveModule.forRoot({
    port: 0,
    drainWindowMs: 0,
    guards,
    ...(onStreams && { sse: true }),
    ...(gateway && { gateway }),
    ...options,
  });
  const builder = Test.createTestingModule({
    imports: [live, ...(setup.imports ?? [])],
    providers: setup.providers ?? [OpenTopics],
    controllers: setup.controllers ?? [],
  });
  const module = await override(builder).compile();
  const app = module.createNestApplication(
    platform === 'express' ? new ExpressAdapter() : new FastifyAdapter(),
    {
      logger: false,
    },
  );
  await setup.before?.(app);
  onTestFinished(async () => {
    await app.close();
  });
  let httpUrl = '';
  if (setup.listen ?? options.port === 'app') {
    await app.listen(0, '127.0.0.1');
    httpUrl = (await app.getUrl()).replace('[::1]', '127.0.0.1');
  } else {
    await app.init();
  }
  const service = app.get(LiveService);
  return { app, live: service, url: service.url(), httpUrl };
}
