import { type CanActivate, type Type, UseGuards } from '@nestjs/common';
import { guardHooks } from './connection-hooks.js';
import type { LiveGateway } from './live.gateway.js';

/** Metadata key of `@UseGuards`, unchanged since Nest's first version. */
const guardsMetadata = '__guards__';

/**
 * Creates a subclass of the gateway with these guards before its upgrade. Each module gets its own
 * class, so that applications never share guards.
 */
export function guardedGateway(
  base: Type<LiveGateway>,
  guards: readonly Type<CanActivate>[],
): { readonly gateway: Type<LiveGateway>; readonly guards: readonly unknown[] } {
  const inherited = (Reflect.getMetadata(guardsMetadata, base.prototype.handleUpgrade as object) ??
    []) as unknown[];
  class GuardedLiveGateway extends base {
    override handleUpgrade(...args: Parameters<LiveGateway['handleUpgrade']>): void {
      super.handleUpgrade(...args);
    }
  }
  const all = [...inherited, ...guards];
  const method = Object.getOwnPropertyDescriptor(GuardedLiveGateway.prototype, 'handleUpgrade');
  if (method) {
    copyMetadata(base.prototype.handleUpgrade, method.value as object);
    if (guards.length > 0) UseGuards(...guards)(GuardedLiveGateway.prototype, 'handleUpgrade', method);
  }
  guardHooks(GuardedLiveGateway.prototype);
  Object.defineProperty(GuardedLiveGateway, 'name', { value: base.name });
  return { gateway: GuardedLiveGateway, guards: all };
}

/** Copies the decorators' metadata, for guards that read it with `Reflector`. */
function copyMetadata(from: object, to: object): void {
  for (const key of Reflect.getMetadataKeys(from) as unknown[]) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, from), to);
  }
}
