import type { Type } from '@nestjs/common';
import { type DiscoveryService, MetadataScanner } from '@nestjs/core';
import { handlerReserved, handlersRequestScoped, handlersUndecorated, handlerTwice } from './live.errors.js';
import { liveServerMark } from './live-handlers.decorator.js';
import { LiveGateway } from './live.gateway.js';

/** Where `@WebSocketGateway` and `@SubscribeMessage` keep what they are told. */
const metadata = { gateway: 'websockets:gateway_options', type: 'message' } as const;

/**
 * Throws when handlers take a type that the protocol has, or that another class takes: only one of them would ever be
 * called, and `subscribe` would have lost its authorisation. Throws also for handlers that Nest would make anew for each
 * connection: it never lets go of them, and a constructor that fails would end the process.
 */
export function checkHandlers(discovery: DiscoveryService, gateway: Type<LiveGateway>): void {
  const reserved = new Set(typesOf(LiveGateway));
  const takenBy = new Map(typesOf(gateway).map((type) => [type, gateway]));
  for (const wrapper of discovery.getProviders()) {
    const { metatype, isNotMetatype } = wrapper;
    if (typeof metatype !== 'function' || isNotMetatype) continue;
    const options = Reflect.getMetadata(metadata.gateway, metatype) as { path?: unknown } | undefined;
    if (options?.path !== liveServerMark) continue;
    if (!wrapper.isDependencyTreeStatic()) throw handlersRequestScoped(metatype.name);
    if (metatype === gateway) continue;
    for (const type of typesOf(metatype as Type)) {
      if (reserved.has(type)) throw handlerReserved(metatype.name, String(type));
      const other = takenBy.get(type);
      if (other !== undefined && other !== metatype)
        throw handlerTwice(String(type), other.name, metatype.name);
      takenBy.set(type, metatype as Type<LiveGateway>);
    }
    // Its own connection hooks would be bare: what they throw would end the process.
    if (!Reflect.hasOwnMetadata(metadata.gateway, metatype)) throw handlersUndecorated(metatype.name);
  }
}

function typesOf(gateway: Type): unknown[] {
  const prototype = gateway.prototype as Record<string, object>;
  return new MetadataScanner()
    .getAllMethodNames(prototype)
    .map((name) => Reflect.getMetadata(metadata.type, prototype[name] ?? {}) as unknown)
    .filter((type) => type !== undefined);
}
