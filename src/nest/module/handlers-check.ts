import type { Type } from '@nestjs/common';
import type { DiscoveryService } from '@nestjs/core';
import { handlersOf, isDecoratedGateway, isLiveGateway } from '../gateway/gateway-metadata.js';
import {
  handlerReserved,
  handlersRequestScoped,
  handlersUndecorated,
  handlerTwice,
} from '../options/live.errors.js';
import { LiveGateway } from '../gateway/live.gateway.js';

/**
 * Checks message handlers. Throws if they handle a type of the protocol, or one that another class
 * handles: only one would ever be called, and `subscribe` would lose its authorization. Also throws
 * for request-scoped handlers: Nest would create them for each connection and never release them,
 * and a failing constructor would end the process.
 *
 * @returns the names of the application's own classes with handlers
 */
export function checkHandlers(discovery: DiscoveryService, gateway: Type<LiveGateway>): string[] {
  const reserved = new Set(typesOf(LiveGateway));
  const own = new Set<string>();
  const takenBy = new Map(typesOf(gateway).map((type) => [type, gateway]));
  for (const wrapper of discovery.getProviders()) {
    const { metatype, isNotMetatype } = wrapper;
    if (typeof metatype !== 'function' || isNotMetatype) continue;
    if (!isLiveGateway(metatype)) continue;
    if (!wrapper.isDependencyTreeStatic()) throw handlersRequestScoped(metatype.name);
    if (metatype.name !== LiveGateway.name) own.add(metatype.name);
    if (metatype === gateway) continue;
    for (const type of typesOf(metatype as Type)) {
      if (reserved.has(type)) throw handlerReserved(metatype.name, String(type));
      const other = takenBy.get(type);
      if (other !== undefined && other !== metatype)
        throw handlerTwice(String(type), other.name, metatype.name);
      takenBy.set(type, metatype as Type<LiveGateway>);
    }
    // Its own connection hooks would be unprotected, and an exception in one would end the process.
    if (!isDecoratedGateway(metatype)) throw handlersUndecorated(metatype.name);
  }
  return [...own];
}

function typesOf(gateway: Type): unknown[] {
  return handlersOf(gateway).map(([, type]) => type);
}
