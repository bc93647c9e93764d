import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import {
  AbstractHttpAdapter,
  type ApplicationConfig,
  type ModulesContainer,
  type NestContainer,
} from '@nestjs/core';
import { messageContextsUnknown } from '../options/live.errors.js';
import type { TransformerStorage } from './dto/primitive-rules.js';
import { isPlain, quickPipes, transformerStorage } from './dto/quick-validation.js';
import type { HandlerParam } from './handler-param.js';
import type { Enhanced, Method, NestSteps } from './message-context.js';

/** Nest 12 creates gateway handlers with the global enhancers, Nest 11 without them. */
const nestRunsGlobals = 'beforeClose' in AbstractHttpAdapter.prototype;

/** Nest's number for `@MessageBody()`. */
const payload = 3;

type Found = Pick<Enhanced, 'guards' | 'interceptors' | 'params' | 'filters'>;

/** Finds what surrounds a handler, and runs the steps that are left to Nest. */
interface Enhancers {
  readonly steps: NestSteps;
  find(gateway: object, method: Method, moduleKey: string, name: string): Promise<Found>;
}

/** Loads Nest's classes for it. @throws Error if this Nest version has others */
export async function enhancersOf(modules: ModulesContainer, config: ApplicationConfig): Promise<Enhancers> {
  try {
    const core = await enhancerClasses();
    const { WsContextCreator } = await import('@nestjs/websockets/context/ws-context-creator.js');
    const { WsProxy } = await import('@nestjs/websockets/context/ws-proxy.js');
    const { ExceptionFiltersContext } =
      await import('@nestjs/websockets/context/exception-filters-context.js');
    let loading: Promise<TransformerStorage | undefined> | undefined;
    const container = { getModules: () => modules } as unknown as NestContainer;
    const filters = new ExceptionFiltersContext(container);
    const pipes = new core.PipesContextCreator(container, config);
    const guards = new core.GuardsContextCreator(container, config);
    const interceptors = new core.InterceptorsContextCreator(container, config);
    const [guardsConsumer, interceptorsConsumer] = [
      new core.GuardsConsumer(),
      new core.InterceptorsConsumer(),
    ];
    const creator = new WsContextCreator(
      new WsProxy(),
      filters,
      pipes,
      new core.PipesConsumer(),
      guards,
      guardsConsumer,
      interceptors,
      interceptorsConsumer,
    );
    return {
      find: async (gateway, method, key, name) => {
        const outer = pipes.create(gateway, method, key);
        const { getParamsMetadata, paramtypes } = creator.getMetadata<unknown>(gateway, name, 'ws');
        const params = getParamsMetadata(key);
        // Only Nest's own pipe needs class-transformer.
        const needed = [...outer, ...params.flatMap((param) => param.pipes as PipeTransform[])].some(isPlain);
        const transformers = needed ? await (loading ??= transformerStorage()) : undefined;
        return {
          filters: filters.create(gateway, method, key),
          guards: guards.create(gateway, method, key),
          interceptors: interceptors.create(gateway, method, key),
          params: params.map((param) => paramOf(param, outer, paramtypes, transformers)),
        };
      },
      steps: {
        contextOf: (args, gateway, method) => {
          const context = guardsConsumer.createContext([...args], gateway, method);
          context.setType('ws');
          return context;
        },
        intercept: ({ interceptors: all, gateway, method }, args, next) =>
          interceptorsConsumer.intercept([...all], [...args], gateway, method, next, 'ws'),
      },
    };
  } catch (error) {
    throw messageContextsUnknown(error);
  }
}

interface Param {
  readonly index: number;
  readonly type: number | string;
  readonly data: unknown;
  readonly pipes: PipeTransform[];
  readonly extractValue: (...args: unknown[]) => unknown;
  /** Of Nest 12. */
  readonly schema?: unknown;
}

function paramOf(
  param: Param,
  outer: PipeTransform[],
  types: readonly unknown[] | undefined,
  transformers: TransformerStorage | undefined,
): HandlerParam {
  const { index, type, data, schema } = param;
  const metadata = {
    metatype: types?.[index],
    type: type === payload ? 'body' : 'custom',
    data,
    ...(schema !== undefined && { schema }),
  } as ArgumentMetadata;
  const pipes = quickPipes([...outer, ...param.pipes], metadata, transformers);
  return { index, extract: param.extractValue as never, pipes, metadata };
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
