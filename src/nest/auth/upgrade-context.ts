import { type IncomingMessage, ServerResponse } from 'node:http';
import type { ExecutionContext, Type } from '@nestjs/common';

type HttpHost = ReturnType<ExecutionContext['switchToHttp']>;
type RpcHost = ReturnType<ExecutionContext['switchToRpc']>;
type WsHost = ReturnType<ExecutionContext['switchToWs']>;

/** The context of an upgrade, of type `http`. Most guards never ask for the response. */
export class UpgradeContext implements ExecutionContext {
  private made: UpgradeResponse | undefined;

  constructor(
    private readonly request: IncomingMessage,
    private readonly gateway: Type,
    private readonly handler: (...args: never[]) => unknown,
  ) {}

  private get response(): UpgradeResponse {
    return (this.made ??= new UpgradeResponse(this.request));
  }

  /** Headers that a guard has set for a refusal; empty if none did. */
  get responseHeaders(): Readonly<Record<string, unknown>> {
    return this.made?.getHeaders() ?? {};
  }

  /** Closures, as Nest's own: a guard may take `getRequest` out of the object. */
  switchToHttp(): HttpHost {
    return {
      getRequest: <T>() => this.request as T,
      getResponse: <T>() => this.response as T,
      getNext: <T>() => undefined as T,
    };
  }

  switchToRpc(): RpcHost {
    return { getData: <T>() => this.request as T, getContext: <T>() => this.response as T };
  }

  switchToWs(): WsHost {
    return {
      getClient: <T>() => this.request as T,
      getData: <T>() => this.response as T,
      // Nest: the last argument.
      getPattern: () => this.response as unknown as string,
    };
  }

  getType<T extends string>(): T {
    return 'http' as T;
  }

  getClass<T>(): Type<T> {
    return this.gateway as Type<T>;
  }

  getHandler(): ReturnType<ExecutionContext['getHandler']> {
    return this.handler as ReturnType<ExecutionContext['getHandler']>;
  }

  getArgs<T extends unknown[]>(): T {
    return [this.request, this.response] as unknown as T;
  }

  getArgByIndex<T>(index: number): T {
    return this.getArgs()[index] as T;
  }
}

/**
 * A response that is never sent but keeps its headers, with the methods that Express and Fastify
 * guards use.
 */
class UpgradeResponse extends ServerResponse {
  header(name: string, value: string | number): this {
    return this.setHeader(name, String(value));
  }
}
