import type { CanActivate, ExecutionContext, NestInterceptor, PipeTransform } from '@nestjs/common';
import { Catch, Logger, UseFilters, UseGuards, UseInterceptors, UsePipes } from '@nestjs/common';
import { ApplicationConfig, type ModulesContainer, type NestContainer } from '@nestjs/core';
import {
  GuardsConsumer,
  GuardsContextCreator,
  InterceptorsConsumer,
  InterceptorsContextCreator,
  PipesConsumer,
  PipesContextCreator,
} from '@nestjs/core/internal';
import { ConnectedSocket, MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { ExceptionFiltersContext } from '@nestjs/websockets/context/exception-filters-context.js';
import { WsContextCreator } from '@nestjs/websockets/context/ws-context-creator.js';
import { WsProxy } from '@nestjs/websockets/context/ws-proxy.js';
import fc from 'fast-check';
import { concat, isObservable, lastValueFrom, map, type Observable, of, throwError, toArray } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { LiveConnection } from '../../core/ports/connection.js';
import { enhancersOf } from './enhancers.js';
import { MessageContext, type Method } from './message-context.js';

const modules = new Map() as unknown as ModulesContainer;

const ways = ['value', 'promise', 'observable', 'throws', 'rejects'] as const;
type Way = (typeof ways)[number];

/** The value in one of the ways in which an application may give it. */
function given(way: Way, value: unknown): unknown {
  if (way === 'promise') return Promise.resolve(value);
  if (way === 'observable') return of(value);
  if (way === 'rejects') return Promise.reject(new Error(`rejected ${String(value)}`));
  if (way === 'throws') throw new Error(`threw ${String(value)}`);
  return value;
}

/** The connection is another one in each run. */
function shown(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'emit' in value ? 'the connection' : value;
}

interface Plan {
  readonly guards: readonly { readonly way: Way; readonly passes: boolean }[];
  readonly interceptors: readonly ('passes' | 'wraps' | 'throws' | 'answers')[];
  readonly pipes: readonly Way[];
  readonly result: Way | 'fails later';
  readonly filter: 'none' | 'rethrows' | 'swallows';
}

/** A gateway as planned, and the steps that it notes while it runs. */
function planned({ guards, interceptors, pipes, result, filter }: Plan) {
  const steps: unknown[] = [];
  const piped: Record<string, unknown[]> = {};
  const context = (host: ExecutionContext): unknown[] => [
    host.getType(),
    host.getClass().name,
    host.getHandler().name,
    host.switchToWs().getData(),
    host.switchToWs().getPattern(),
  ];
  class Gateway {
    handle(...args: unknown[]): unknown {
      steps.push(['handles', ...args.map(shown)]);
      if (result !== 'fails later') return given(result, 'done');
      return concat(
        of('first'),
        throwError(() => new Error('later')),
      );
    }
  }
  const method = Object.getOwnPropertyDescriptor(Gateway.prototype, 'handle') as PropertyDescriptor;
  const decorate = (decorator: MethodDecorator): unknown => decorator(Gateway.prototype, 'handle', method);
  SubscribeMessage('asked')(Gateway.prototype, 'handle', method);
  MessageBody()(Gateway.prototype, 'handle', 0);
  ConnectedSocket()(Gateway.prototype, 'handle', 1);
  MessageBody('field')(Gateway.prototype, 'handle', 2);
  const guardOf = ({ way, passes }: Plan['guards'][number], at: number): CanActivate => ({
    canActivate: (host) => {
      steps.push(['guard', at, ...context(host)]);
      return given(way, passes) as boolean;
    },
  });
  const interceptorOf = (what: Plan['interceptors'][number], at: number): NestInterceptor => ({
    intercept: (host, next): Observable<unknown> => {
      steps.push(['interceptor', at, ...context(host)]);
      if (what === 'throws') throw new Error('intercepted');
      if (what === 'answers') return of('instead');
      return what === 'passes' ? next.handle() : next.handle().pipe(map((value) => [at, value]));
    },
  });
  const pipeOf = (way: Way, at: number): PipeTransform => ({
    transform: (value, metadata) => {
      const parameter = `${metadata.type} ${String(metadata.data)}`;
      (piped[parameter] ??= []).push([at, shown(value)]);
      return given(way === 'observable' ? 'value' : way, value);
    },
  });
  if (guards.length > 0) decorate(UseGuards(...guards.map(guardOf)));
  if (interceptors.length > 0) decorate(UseInterceptors(...interceptors.map(interceptorOf)));
  if (pipes.length > 0) decorate(UsePipes(...pipes.map(pipeOf)));
  if (filter !== 'none') {
    const catching = (error: unknown, host: ExecutionContext): unknown => {
      steps.push(['filter', String(error), host.getType(), ...host.getArgs().map(shown)]);
      if (filter === 'rethrows') throw new Error(`filtered ${String(error)}`);
      return undefined;
    };
    @Catch()
    class All {
      catch = catching;
    }
    decorate(UseFilters(new All() as never));
  }
  return { gateway: new Gateway() as unknown as Record<string, Method>, steps, piped };
}

/** What a call led to: its outcome, and all values of an Observable. */
async function outcomeOf(call: () => unknown): Promise<unknown> {
  try {
    const result: unknown = await call();
    if (!isObservable(result)) return ['answers', result];
    return ['answers', ...(await lastValueFrom(result.pipe(toArray())))];
  } catch (error) {
    return ['fails', String(error)];
  }
}

const message = { type: 'asked', field: 7 };

/** Of a connection, Nest's default filter uses this method. */
function connectionOf(steps: unknown[]): LiveConnection {
  return { emit: (...sent: unknown[]) => steps.push(['sent', JSON.stringify(sent)]) } as never;
}

async function byNest(plan: Plan): Promise<unknown> {
  const { gateway, steps, piped } = planned(plan);
  const [container, config] = [{ getModules: () => modules } as NestContainer, new ApplicationConfig()];
  const creator = new WsContextCreator(
    new WsProxy(),
    new ExceptionFiltersContext(container),
    new PipesContextCreator(container, config),
    new PipesConsumer(),
    new GuardsContextCreator(container, config),
    new GuardsConsumer(),
    new InterceptorsContextCreator(container, config),
    new InterceptorsConsumer(),
  );
  const callback = creator.create(gateway, gateway['handle'] as never, '', 'handle');
  const outcome = await outcomeOf(() => callback(connectionOf(steps), message));
  // Nest asks the pipes of one parameter after another only within the parameter, and goes on with
  // the others after a failure.
  return {
    outcome,
    steps,
    piped: plan.pipes.some((way) => way === 'throws' || way === 'rejects') ? {} : piped,
  };
}

async function byContext(plan: Plan): Promise<unknown> {
  const { gateway, steps, piped } = planned(plan);
  const method = gateway['handle'] as Method;
  const enhancers = await enhancersOf(modules, new ApplicationConfig());
  const around = await enhancers.find(gateway, method, '', 'handle');
  const context = new MessageContext(
    { gateway, method, type: 'asked', ...around },
    enhancers.steps,
    (values) => values,
  );
  const outcome = await outcomeOf(() => context.handle(connectionOf(steps), message));
  // Nest asks the pipes of one parameter after another only within the parameter, and goes on with
  // the others after a failure.
  return {
    outcome,
    steps,
    piped: plan.pipes.some((way) => way === 'throws' || way === 'rejects') ? {} : piped,
  };
}

const some = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(value, { maxLength: 3 });

const plans: fc.Arbitrary<Plan> = fc.record({
  guards: some(
    fc.record({ way: fc.constantFrom(...ways), passes: fc.constantFrom(true, true, true, false) }),
  ),
  interceptors: some(fc.constantFrom('passes', 'wraps', 'throws', 'answers')),
  pipes: some(fc.constantFrom<Way>('value', 'value', 'promise', 'throws', 'rejects')),
  result: fc.constantFrom(...ways, 'fails later'),
  filter: fc.constantFrom('none', 'rethrows', 'swallows'),
});

describe('MessageContext', () => {
  beforeAll(() => void vi.spyOn(Logger.prototype, 'error').mockImplementation(() => {}));
  afterAll(() => void vi.restoreAllMocks());

  it("[L-2.13] guards, interceptors, pipes, handler and filters run as in Nest's own chain", async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        expect(await byContext(plan)).toEqual(await byNest(plan));
      }),
      { numRuns: 500 },
    );
  });

  it('[L-2.13] a handler answers without a promise if nothing around it needs one', async () => {
    const plan: Plan = {
      guards: [{ way: 'value', passes: true }],
      interceptors: [],
      pipes: ['value'],
      result: 'value',
      filter: 'none',
    };
    const { gateway, steps } = planned(plan);
    const method = gateway['handle'] as Method;
    const enhancers = await enhancersOf(modules, new ApplicationConfig());
    const around = await enhancers.find(gateway, method, '', 'handle');
    const enhanced = { gateway, method, type: 'asked', ...around };
    const context = new MessageContext(enhanced, enhancers.steps, () => undefined);
    expect(context.handle(connectionOf(steps), message)).toBe('done');
  });
});
