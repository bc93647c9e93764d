import { type CanActivate, ConfigurableModuleBuilder, type ModuleMetadata, type Type } from '@nestjs/common';
import type { LiveGateway } from '../gateway/live.gateway.js';
import type { LiveModuleOptions } from '../options/live.options.js';
import { LIVE_OPTIONS } from '../options/live.tokens.js';

/** The part of the configuration that Nest needs before any provider exists. */
export interface LiveModuleExtras {
  /** Nest guards that decide about each upgrade, in order. At least one, or `dangerouslyPublic`. */
  readonly guards?: readonly Type<CanActivate>[];
  /** Modules that export what the guards, or your gateway, inject. */
  readonly imports?: ModuleMetadata['imports'];
  /** Whether the module's providers are visible everywhere. @default true */
  readonly isGlobal?: boolean;
  /**
   * Your own subclass of `LiveGateway`, to add guards, pipes, interceptors or filters to its
   * handlers.
   */
  readonly gateway?: Type<LiveGateway>;
}

export const { ConfigurableModuleClass } = new ConfigurableModuleBuilder<LiveModuleOptions>({
  moduleName: 'Live',
  optionsInjectionToken: LIVE_OPTIONS,
})
  .setClassMethodName('forRoot')
  .setExtras<LiveModuleExtras>({ isGlobal: true }, (definition, { isGlobal }) => ({
    ...definition,
    global: isGlobal ?? true,
  }))
  .build();
