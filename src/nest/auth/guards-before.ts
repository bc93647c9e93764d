import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { ExternalContextCreator } from '@nestjs/core';
import { LiveGateway } from '../gateway/live.gateway.js';

/** Runs the guards of a handler and then the handler, as Nest does. */
type Run = (...args: readonly unknown[]) => Promise<unknown>;

/**
 * The guards before the gateway's upgrade, in their order: global ones, those of the class, and
 * those of the method. If the gateway's `handleUpgrade` does something itself, or if this Nest
 * version does not hand the guards over, one guard stands for all of it.
 */
export function guardsBefore(contexts: ExternalContextCreator, gateway: LiveGateway): readonly CanActivate[] {
  const inherited = Object.getPrototypeOf(Object.getPrototypeOf(gateway)) as LiveGateway;
  const doesNothing = inherited.handleUpgrade === LiveGateway.prototype.handleUpgrade;
  return (doesNothing ? noted(contexts, gateway) : undefined) ?? [allOf(contexts, gateway)];
}

/** Nest finds the guards, and hands them to a consumer that notes them instead of asking them. */
function noted(contexts: ExternalContextCreator, gateway: LiveGateway): readonly CanActivate[] | undefined {
  let found: readonly CanActivate[] | undefined;
  const tryActivate = (guards: readonly CanActivate[]): Promise<boolean> => {
    found = guards;
    return Promise.resolve(false);
  };
  const noting = Object.create(contexts, { guardsConsumer: { value: { tryActivate } } }) as typeof contexts;
  runOf(noting, gateway)().catch(() => {});
  return found;
}

function allOf(contexts: ExternalContextCreator, gateway: LiveGateway): CanActivate {
  const run = runOf(contexts, gateway);
  return {
    canActivate: async (context: ExecutionContext) => {
      await run(...context.getArgs<unknown[]>());
      return true;
    },
  };
}

function runOf(contexts: ExternalContextCreator, gateway: LiveGateway): Run {
  return contexts.create(
    gateway as unknown as Record<string, (...args: unknown[]) => unknown>,
    gateway.handleUpgrade as (...args: unknown[]) => unknown,
    'handleUpgrade',
    undefined,
    undefined,
    undefined,
    undefined,
    { guards: true, interceptors: false, filters: false },
    'http',
  ) as Run;
}
