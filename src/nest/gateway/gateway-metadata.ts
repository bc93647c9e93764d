import type { Type } from '@nestjs/common';
import { MetadataScanner } from '@nestjs/core';
import { liveServerMark } from './live-handlers.decorator.js';

/** Where `@WebSocketGateway` and `@SubscribeMessage` keep their arguments. */
const metadata = { gateway: 'websockets:gateway_options', type: 'message' } as const;

/** Whether a class is a gateway of live connections. */
export function isLiveGateway(metatype: object): boolean {
  const options = Reflect.getMetadata(metadata.gateway, metatype) as { path?: unknown } | undefined;
  return options?.path === liveServerMark;
}

/** Whether the class itself has the decorator, not only one that it extends. */
export function isDecoratedGateway(metatype: object): boolean {
  return Reflect.hasOwnMetadata(metadata.gateway, metatype);
}

/** A gateway's handlers: the method's name, and the message type that it takes. */
export function handlersOf(gateway: Type): [name: string, type: unknown][] {
  const prototype = gateway.prototype as Record<string, object>;
  return new MetadataScanner()
    .getAllMethodNames(prototype)
    .map((name): [string, unknown] => [name, Reflect.getMetadata(metadata.type, prototype[name] ?? {})])
    .filter(([, type]) => type !== undefined);
}
