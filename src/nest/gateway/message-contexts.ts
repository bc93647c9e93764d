import type { Type } from '@nestjs/common';
import {
  AbstractHttpAdapter,
  type ApplicationConfig,
  type ModulesContainer,
  type NestContainer,
} from '@nestjs/core';
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

/** Nest 12 creates gateway handlers with the global enhancers, Nest 11 without them. */
export const nestRunsGlobals = 'beforeClose' in AbstractHttpAdapter.prototype;

/**
 * The handlers of all live gateways by message type, with the enhancers of their own decorators and
 * the global ones of `config`. Nest's own classes create them a second time here: from an empty
 * configuration to keep global enhancers away, which are written for HTTP, or from the
 * application's own to have them on Nest 11.
 *
 * @throws Error that names the option to set if this Nest version has other classes
 */
export async function messageContexts(
  modules: ModulesContainer,
  config: ApplicationConfig,
): Promise<ReadonlyMap<unknown, MessageContext>> {
  const creator = await makeCreator(modules, config);
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
    const core = await enhancerClasses();
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

type EnhancerClasses = Pick<
  typeof import('@nestjs/core/internal'),
  | 'PipesContextCreator'
  | 'PipesConsumer'
  | 'GuardsContextCreator'
  | 'GuardsConsumer'
  | 'InterceptorsContextCreator'
  | 'InterceptorsConsumer'
>;

/** Nest 11 has them in folders of their own, of which the types of Nest 12 do not know. */
async function enhancerClasses(): Promise<EnhancerClasses> {
  if (nestRunsGlobals) return import('@nestjs/core/internal');
  const folders = ['pipes', 'guards', 'interceptors'];
  const parts = await Promise.all(
    folders.map((folder) => import(`@nestjs/core/${folder}/index.js`) as Promise<EnhancerClasses>),
  );
  return Object.assign({}, ...parts) as EnhancerClasses;
}
