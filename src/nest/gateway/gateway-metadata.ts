import type { Type } from '@nestjs/common';
import { MetadataScanner, type ModulesContainer } from '@nestjs/core';
import { liveServerMark } from './live-handlers.decorator.js';

/** Metadata keys of `@WebSocketGateway` and `@SubscribeMessage`. */
const metadata = { gateway: 'websockets:gateway_options', type: 'message' } as const;

/** Whether a class is a gateway of live connections. */
export function isLiveGateway(metatype: object): boolean {
  const options = Reflect.getMetadata(metadata.gateway, metatype) as { path?: unknown } | undefined;
  return options?.path === liveServerMark;
}

/**
 * Whether a live gateway has to be called when a connection opens or closes. A gateway that is made
 * for each request may get its hooks in its constructor.
 */
export function haveHooks(modules: ModulesContainer): boolean {
  const wrappers = [...modules.values()].flatMap(({ providers }) => [...providers.values()]);
  return wrappers.some((wrapper) => {
    const { metatype, instance } = wrapper;
    if (typeof metatype !== 'function' || wrapper.isNotMetatype || !isLiveGateway(metatype)) return false;
    const { handleConnection, handleDisconnect } = (instance ?? {}) as Record<string, unknown>;
    return !wrapper.isDependencyTreeStatic() || Boolean(handleConnection ?? handleDisconnect);
  });
}

/** Whether the class itself has the decorator, not just a base class. */
export function isDecoratedGateway(metatype: object): boolean {
  return Reflect.hasOwnMetadata(metadata.gateway, metatype);
}

/** A gateway's handlers: the method's name and its message type. */
export function handlersOf(gateway: Type): [name: string, type: unknown][] {
  const prototype = gateway.prototype as Record<string, object>;
  return new MetadataScanner()
    .getAllMethodNames(prototype)
    .map((name): [string, unknown] => [name, Reflect.getMetadata(metadata.type, prototype[name] ?? {})])
    .filter(([, type]) => type !== undefined);
}
