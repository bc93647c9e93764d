import {
  type CanActivate,
  Inject,
  Injectable,
  Logger,
  type OnModuleInit,
  Scope,
  type Type,
} from '@nestjs/common';
import { ApplicationConfig, DiscoveryService, ModuleRef } from '@nestjs/core';
import { checkHandlers } from './handlers-check.js';
import {
  cookiesNeedOrigins,
  globalsNotOnMessages,
  guardRequestScoped,
  guardUnknown,
  noGuard,
  wsTooOld,
} from '../options/live.errors.js';
import type { LiveGateway } from '../gateway/live.gateway.js';
import type { LiveModuleOptions } from '../options/live.options.js';
import { LIVE_GATEWAY, LIVE_GUARDS, LIVE_OPTIONS } from '../options/live.tokens.js';
import { globalEnhancersOf } from '../gateway/message-contexts.js';
import { versionOfWs } from '../../ws/ws-version.js';
import { checkRuntime } from './runtime-check.js';

/** Older versions of `ws` grow without bound under a flood of pings that no one reads. */
const wsFloor = '8.23.0';

/** Refuses to start an open or unsafe server, and logs every unsafe option in use. */
@Injectable()
export class LiveStartCheck implements OnModuleInit {
  private readonly logger = new Logger('Live');

  constructor(
    private readonly moduleRef: ModuleRef,
    private readonly discovery: DiscoveryService,
    private readonly application: ApplicationConfig,
    @Inject(LIVE_GATEWAY) private readonly gateway: Type<LiveGateway>,
    @Inject(LIVE_OPTIONS) private readonly options: LiveModuleOptions,
    @Inject(LIVE_GUARDS) private readonly guards: readonly (Type<CanActivate> | CanActivate)[],
  ) {}

  onModuleInit(): void {
    const aboutRuntime = checkRuntime(this.options);
    if (aboutRuntime !== undefined) this.logger.warn(aboutRuntime);
    this.checkWs();
    const { dangerouslyPublic, dangerouslyAllowAnyOrigin, dangerouslyUnlimitedInbound } = this.options;
    if (this.guards.length === 0 && dangerouslyPublic !== true) throw noGuard();
    for (const guard of this.guards) if (typeof guard === 'function') this.checkGuard(guard);
    // Nest applies these only to requests, and an upgrade is not one.
    for (const { name } of this.application.getGlobalRequestGuards()) throw guardRequestScoped(String(name));
    const ownHandlers = checkHandlers(this.discovery, this.gateway);
    this.warnOfGlobals(ownHandlers);
    if (dangerouslyPublic === true) this.logger.warn('dangerouslyPublic: everybody may connect.');
    if (dangerouslyAllowAnyOrigin === true) {
      this.logger.warn("dangerouslyAllowAnyOrigin: any page may connect, with its visitors' cookies.");
    }
    if (dangerouslyUnlimitedInbound === true) {
      this.logger.warn('dangerouslyUnlimitedInbound: every connection may send as fast as it can.');
    }
  }

  /** Warns about guards that the application may rely on but that do not run on messages. */
  private warnOfGlobals(ownHandlers: readonly string[]): void {
    const enhancers = globalEnhancersOf(this.application);
    const isSaid = this.options.globalEnhancersOnMessages !== undefined;
    if (isSaid || ownHandlers.length === 0 || enhancers.length === 0) return;
    this.logger.warn(globalsNotOnMessages(enhancers, ownHandlers));
  }

  /** Nest silently skips a guard without an instance. */
  private checkGuard(guard: Type<CanActivate>): void {
    const { name } = guard;
    let scope: Scope;
    try {
      ({ scope } = this.moduleRef.introspect(guard));
    } catch {
      throw guardUnknown(name);
    }
    if (scope !== Scope.DEFAULT) throw guardRequestScoped(name);
    const usesCookies = (guard as { usesCookies?: boolean }).usesCookies === true;
    const { allowedOrigins, dangerouslyAllowAnyOrigin } = this.options;
    if (usesCookies && allowedOrigins === undefined && dangerouslyAllowAnyOrigin !== true)
      throw cookiesNeedOrigins(name);
  }

  private checkWs(): void {
    const version = versionOfWs();
    if (version === undefined) return;
    const [major = 0, minor = 0] = version.split('.').map(Number);
    const [floorMajor = 0, floorMinor = 0] = wsFloor.split('.').map(Number);
    if (major < floorMajor || (major === floorMajor && minor < floorMinor)) throw wsTooOld(version, wsFloor);
  }
}
