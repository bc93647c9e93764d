import type { Type } from '@nestjs/common';
import type { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { enhancersOf } from './enhancers.js';
import { handlersOf, isLiveGateway } from './gateway-metadata.js';
import { type AnswersOf, MessageContext, type Method } from './message-context.js';
import type { RequestContract } from './request-contract.js';

/** Names of the application's global guards, interceptors and pipes. */
export function globalEnhancersOf(application: ApplicationConfig): string[] {
  return [
    ...application.getGlobalGuards(),
    ...application.getGlobalInterceptors(),
    ...application.getGlobalPipes(),
  ].map((each: unknown) => (typeof each === 'function' ? each.name : (each as object).constructor.name));
}

/** What handles a message, by its type. */
export type MessageContexts = ReadonlyMap<unknown, MessageContext>;

/** What a gateway's method declares about its request. */
export type ContractOf = (gateway: Type, method: string) => Promise<RequestContract | undefined>;

/**
 * The handlers of all live gateways by message type, with the enhancers of their own decorators and
 * the global ones of `config`. Nest's own classes find them: with an empty configuration to keep
 * global enhancers away, which are written for HTTP, or with the application's own to have them.
 *
 * @throws Error that names the option to set if this Nest version has other classes
 */
export async function messageContexts(
  modules: ModulesContainer,
  config: ApplicationConfig,
  answersOf: AnswersOf,
  contractOf: ContractOf,
): Promise<MessageContexts> {
  const enhancers = await enhancersOf(modules, config);
  const contexts = new Map<unknown, MessageContext>();
  for (const [key, { providers }] of modules) {
    for (const { metatype, isNotMetatype, instance } of providers.values()) {
      if (typeof metatype !== 'function' || isNotMetatype || !isLiveGateway(metatype)) continue;
      const gateway = instance as Record<string, Method>;
      for (const [name, type] of handlersOf(metatype as Type)) {
        const method = gateway[name];
        // If several modules provide the class, the first one's instance is used, as in Nest.
        if (method === undefined || contexts.has(type)) continue;
        const around = await enhancers.find(gateway, method, key, name);
        const contract = await contractOf(metatype as Type, name);
        const enhanced = { gateway, method, type, contract, ...around };
        contexts.set(type, new MessageContext(enhanced, enhancers.steps, answersOf));
      }
    }
  }
  return contexts;
}
