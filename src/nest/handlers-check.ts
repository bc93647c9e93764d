import type { Type } from '@nestjs/common';
import { type DiscoveryService, MetadataScanner } from '@nestjs/core';
import { handlerReserved, handlerTwice } from './live.errors.js';
import { liveServerMark } from './live-handlers.decorator.js';
import { LiveGateway } from './live.gateway.js';

/** Where `@WebSocketGateway` and `@SubscribeMessage` keep what they are told. */
const metadata = { gateway: 'websockets:gateway_options', type: 'message' } as const;

/**
 * Throws when a host's handlers take a type that the protocol has, or that another class takes: only one of them would
 * ever be called, and `subscribe` would have lost its authorisation.
 */
export function checkHandlers(discovery: DiscoveryService, gateway: LiveGateway): void {
  const reserved = new Set(typesOf(LiveGateway));
  const takenBy = new Map(typesOf(gateway.constructor as Type).map((type) => [type, gateway.constructor]));
  for (const { metatype, isNotMetatype, instance } of discovery.getProviders()) {
    if (typeof metatype !== 'function' || isNotMetatype || instance === gateway) continue;
    const options = Reflect.getMetadata(metadata.gateway, metatype) as { path?: unknown } | undefined;
    if (options?.path !== liveServerMark) continue;
    for (const type of typesOf(metatype as Type)) {
      if (reserved.has(type)) throw handlerReserved(metatype.name, String(type));
      const other = takenBy.get(type);
      if (other !== undefined && other !== metatype)
        throw handlerTwice(String(type), other.name, metatype.name);
      takenBy.set(type, metatype);
    }
  }
}

function typesOf(gateway: Type): unknown[] {
  const prototype = gateway.prototype as Record<string, object>;
  return new MetadataScanner()
    .getAllMethodNames(prototype)
    .map((name) => Reflect.getMetadata(metadata.type, prototype[name] ?? {}) as unknown)
    .filter((type) => type !== undefined);
}
