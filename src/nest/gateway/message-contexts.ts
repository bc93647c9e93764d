import type { Type } from '@nestjs/common';
import { ApplicationConfig, type ModulesContainer, type NestContainer } from '@nestjs/core';
import { handlersOf, isLiveGateway } from './gateway-metadata.js';
import { messageContextsUnknown } from '../options/live.errors.js';

/** Handles one message of a live connection with all enhancers of its own decorators. */
export type MessageContext = (connection: unknown, message: unknown) => Promise<unknown>;

type Method = (...args: unknown[]) => void;

/** Names of the application's global guards, interceptors and pipes. */
export function globalEnhancersOf(application: ApplicationConfig): string[] {
  return [
    ...application.getGlobalGuards(),
    ...application.getGlobalInterceptors(),
    ...application.getGlobalPipes(),
  ].map((each: unknown) => (typeof each === 'function' ? each.name : (each as object).constructor.name));
}

/**
 * The handlers of all live gateways by message type, with the enhancers of their own decorators but
 * without global ones, which are written for HTTP. Nest always adds global enhancers to gateway
 * handlers, so Nest's own classes create the handlers a second time here, from a configuration
 * without any.
 *
 * @throws Error that names the option to set if this Nest version has other classes
 */
export async function messageContextsWithoutGlobals(
  modules: ModulesContainer,
): Promise<ReadonlyMap<unknown, MessageContext>> {
  const creator = await makeCreator(modules, new ApplicationConfig());
  const contexts = new Map<unknown, MessageContext>();
  for (const [key, { providers }] of modules) {
    for (const { metatype, isNotMetatype, instance } of providers.values()) {
      if (typeof metatype !== 'function' || isNotMetatype || !isLiveGateway(metatype)) continue;
      const gateway = instance as Record<string, Method>;
      for (const [name, type] of handlersOf(metatype as Type)) {
        const method = gateway[name];
        // If several modules provide the class, the first one's instance is used, as in Nest.
        if (method === undefined || contexts.has(type)) continue;
        contexts.set(type, creator.create(gateway, method, key, name));
      }
    }
  }
  return contexts;
}

interface ContextCreator {
  create(instance: object, method: Method, moduleKey: string, name: string): MessageContext;
}

/** Loaded on demand: an application without global enhancers does not depend on these classes. */
async function makeCreator(modules: ModulesContainer, config: ApplicationConfig): Promise<ContextCreator> {
  try {
    const core = await import('@nestjs/core/internal');
    const { WsContextCreator } = await import('@nestjs/websockets/context/ws-context-creator.js');
    const { WsProxy } = await import('@nestjs/websockets/context/ws-proxy.js');
    const { ExceptionFiltersContext } =
      await import('@nestjs/websockets/context/exception-filters-context.js');
    const container = { getModules: () => modules } as unknown as NestContainer;
    return new WsContextCreator(
      new WsProxy(),
      new ExceptionFiltersContext(container),
      new core.PipesContextCreator(container, config),
      new core.PipesConsumer(),
      new core.GuardsContextCreator(container, config),
      new core.GuardsConsumer(),
      new core.InterceptorsContextCreator(container, config),
      new core.InterceptorsConsumer(),
    ) as unknown as ContextCreator;
  } catch (error) {
    throw messageContextsUnknown(error);
  }
}
