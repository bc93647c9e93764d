import {
  type CanActivate,
  type ConfigurableModuleAsyncOptions,
  type DynamicModule,
  Inject,
  Module,
  Optional,
  type Provider,
  type Type,
} from '@nestjs/common';
import {
  ApplicationConfig,
  DiscoveryModule,
  HttpAdapterHost,
  ModuleRef,
  ModulesContainer,
} from '@nestjs/core';
import { MemoryBroker } from '../../brokers/memory/memory-broker.js';
import { ConnectionRegistry } from '../../core/ports/connection-registry.js';
import { Live } from '../../core/live.js';
import type { Broker } from '../../core/ports/broker.js';
import type { Clock } from '../../core/ports/clock.js';
import { SystemClock } from '../../clock/system-clock.js';
import { type AskGuards, credentialVerifier } from '../auth/credential-verifier.js';
import { sessionRenewer } from '../auth/session-renewer.js';
import { guardedGateway } from '../gateway/guarded-gateway.js';
import { LiveLogObserver } from '../logging/live-log.observer.js';
import { LiveWsAdapter } from '../gateway/live-ws.adapter.js';
import { noBroker, missingForRoot, duplicateForRoot } from '../options/live.errors.js';
import { LiveGateway } from '../gateway/live.gateway.js';
import { LiveLifecycle } from '../server/live.lifecycle.js';
import { ConfigurableModuleClass, type LiveModuleExtras } from './live.module-definition.js';
import { ObserverList } from '../logging/live.observers.js';
import { LiveObservers } from '../logging/live-observer.js';
import type { LiveModuleOptions } from '../options/live.options.js';
import { CloseWatchModule } from '../server/close-watch.js';
import { LiveServer } from '../server/live.server.js';
import { LiveService } from '../server/live.service.js';
import type { ResolvedLiveOptions } from '../options/live.settings.js';
import {
  LIVE_BROKER,
  LIVE_CLOCK,
  LIVE_GATEWAY,
  LIVE_GUARDS,
  LIVE_OPTIONS,
  LIVE_SETTINGS,
  LIVE_VERBS,
} from '../options/live.tokens.js';
import { resolveOptions } from './resolve-options.js';
import { LiveStartCheck } from './live-start.check.js';
import { TopicExplorer } from '../topics/topic.explorer.js';
import { TopicPolicy } from '../topics/topic.policy.js';

const providers: Provider[] = [
  TopicExplorer,
  TopicPolicy,
  LiveLifecycle,
  LiveServer,
  LiveService,
  { provide: LIVE_CLOCK, useClass: SystemClock },
  { provide: LIVE_SETTINGS, inject: [LIVE_OPTIONS], useFactory: resolveOptions },
  { provide: LIVE_BROKER, inject: [LIVE_OPTIONS, LIVE_CLOCK], useFactory: makeBroker },
  { provide: LiveObservers, inject: [LIVE_OPTIONS], useFactory: makeObservers },
  {
    provide: Live,
    inject: [LIVE_SETTINGS, LIVE_BROKER, TopicPolicy, LIVE_CLOCK, LiveObservers, ModuleRef, LIVE_GUARDS],
    useFactory: makeLive,
  },
  { provide: LIVE_VERBS, inject: [Live], useFactory: ({ verbs }: Live) => verbs },
  { provide: ConnectionRegistry, inject: [Live], useFactory: ({ registry }: Live) => registry },
];

/**
 * Live broadcast in a Nest application. The root module only needs
 * `LiveModule.forRoot({ guards: [JwtConnectionGuard], jwt: { secret } })`.
 */
@Module({})
export class LiveModule extends ConfigurableModuleClass {
  /** @internal */
  constructor(
    application: ApplicationConfig,
    host: HttpAdapterHost,
    modules: ModulesContainer,
    @Optional() @Inject(LIVE_OPTIONS) options?: LiveModuleOptions,
  ) {
    super();
    if (options === undefined) throw missingForRoot();
    if ([...modules.values()].filter(({ metatype }) => metatype === LiveModule).length > 1)
      throw duplicateForRoot();
    // In the constructor, because gateways register before any `onModuleInit`.
    if (!application.getIoAdapter()) application.setIoAdapter(new LiveWsAdapter(host));
  }

  /**
   * Options that are known at once. Import the result in the root module, once.
   *
   * @throws Error that names the option that is wrong, contradicts another or is missing
   */
  static override forRoot(options: LiveModuleOptions & LiveModuleExtras): DynamicModule {
    return assemble({ imports: options.imports ?? [], ...super.forRoot(options) }, options);
  }

  /**
   * Options that other providers make:
   * `forRootAsync({ inject: [ConfigService], useFactory, guards })`. The extras stand beside
   * `useFactory`. The start rejects with the errors of `forRoot`.
   */
  static override forRootAsync(
    options: ConfigurableModuleAsyncOptions<LiveModuleOptions> & LiveModuleExtras,
  ): DynamicModule {
    return assemble(super.forRootAsync(options), options);
  }
}

function assemble(definition: DynamicModule, extras: LiveModuleExtras): DynamicModule {
  const { gateway, guards } = guardedGateway(extras.gateway ?? LiveGateway, extras.guards ?? []);
  return {
    ...definition,
    imports: [...(definition.imports ?? []), DiscoveryModule, CloseWatchModule],
    providers: [
      ...(definition.providers ?? []),
      ...providers,
      // The class itself, not `useClass`: only then does Nest instantiate its guards.
      gateway,
      { provide: LiveGateway, useExisting: gateway },
      { provide: LIVE_GATEWAY, useValue: gateway },
      { provide: LIVE_GUARDS, useValue: guards },
      LiveStartCheck,
    ],
    exports: [
      LiveService,
      ConnectionRegistry,
      LiveObservers,
      LiveLifecycle,
      LiveServer,
      LIVE_SETTINGS,
      LIVE_VERBS,
      Live,
    ],
  };
}

function makeBroker({ broker }: LiveModuleOptions, clock: Clock): Broker {
  const made = typeof broker === 'function' ? broker() : (broker ?? new MemoryBroker({}, clock));
  if (typeof (made as Partial<Broker> | undefined)?.start !== 'function') throw noBroker();
  return made;
}

function makeObservers({ onClose }: LiveModuleOptions): ObserverList {
  const observers = new ObserverList();
  observers.add(new LiveLogObserver());
  if (onClose === undefined) return observers;
  observers.add({
    closed(connection, code, reason) {
      // An async function also fits the type, and its rejection would end the process.
      const failed = (error: unknown): void => observers.failed('calling onClose', error, connection);
      new Promise((resolve) => {
        resolve(onClose(connection, code, reason));
      }).catch(failed);
    },
  });
  return observers;
}

function makeLive(
  settings: ResolvedLiveOptions,
  broker: Broker,
  policy: TopicPolicy,
  clock: Clock,
  observer: ObserverList,
  moduleRef: ModuleRef,
  guards: readonly Type<CanActivate>[],
): Live {
  // Resolved late, because the server depends on this.
  const askGuards: AskGuards = (...asked) => moduleRef.get(LiveServer).askGuards(...asked);
  const asking = [
    guards,
    moduleRef,
    askGuards,
    (reason: string) => observer.credentialRefused(reason),
  ] as const;
  const [verify, renew] = [credentialVerifier(...asking), sessionRenewer(...asking)];
  return new Live(settings, {
    broker,
    policy,
    clock,
    observer,
    ...(verify && { verify }),
    ...(renew && { renew }),
  });
}
