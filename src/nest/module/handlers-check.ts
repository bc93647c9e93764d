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
 * Throws when handlers take a type that the protocol has, or that another class takes: only one of them would ever be
 * called, and `subscribe` would have lost its authorisation. Throws also for handlers that Nest would make anew for each
 * connection: it never lets go of them, and a constructor that fails would end the process.
 *
 * @returns the names of the classes with handlers of the application's own
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
    // Its own connection hooks would be bare: what they throw would end the process.
    if (!isDecoratedGateway(metatype)) throw handlersUndecorated(metatype.name);
  }
  return [...own];
}

function typesOf(gateway: Type): unknown[] {
  return handlersOf(gateway).map(([, type]) => type);
}
