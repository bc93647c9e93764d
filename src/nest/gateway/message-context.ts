import type { CanActivate, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { catchError, EMPTY, isObservable, type Observable } from 'rxjs';
import { isLater } from '../../core/ports/contract.js';
import type { LiveConnection } from '../../core/ports/connection.js';
import { isVerb } from '../../core/verbs/verbs.js';
import { openingOf } from './connection-hooks.js';
import { askGuards } from './ask-guards.js';
import { type HandlerParam, valueFor } from './handler-param.js';
import type { RequestContract } from './request-contract.js';

export type Method = (...args: unknown[]) => unknown;

/** A handler of one message type, with what its decorators and the application put around it. */
export interface Enhanced {
  readonly gateway: object;
  readonly method: Method;
  /** The message type. */
  readonly type: unknown;
  readonly guards: readonly CanActivate[];
  readonly interceptors: readonly NestInterceptor[];
  readonly params: readonly HandlerParam[];
  readonly contract?: RequestContract | undefined;
  /** Runs the filters. What they throw is the error of the message. */
  readonly filters: { handle(error: unknown, host: ExecutionContext): void };
}

type Args = readonly [connection: LiveConnection, message: unknown, type: unknown];

/** Makes answers of an Observable, all of its values or the first one. */
export type AnswersOf = (
  values: Observable<unknown>,
  connection: LiveConnection,
  mayRepeat: boolean,
) => unknown;

/** Nest's own steps, which only the rare paths take. */
export interface NestSteps {
  contextOf(args: readonly unknown[], gateway: object, method: Method): ExecutionContext;
  intercept(enhanced: Enhanced, args: readonly unknown[], next: () => Promise<unknown>): unknown;
}

/**
 * Runs guards, interceptors, pipes, the handler, and filters for one message, in Nest's order.
 * Where Nest makes a promise and arrays for each step, this makes none for a step that is empty or
 * answers at once: a crowd that comes back is all subscribes.
 */
export class MessageContext {
  /** @param answersOf - what an Observable becomes */
  constructor(
    private readonly enhanced: Enhanced,
    private readonly steps: NestSteps,
    private readonly answersOf: AnswersOf,
  ) {}

  /**
   * The handler's result, or a promise of it. Throws or rejects as the filters do. It waits for a
   * `handleConnection` that has not ended.
   */
  readonly handle = (connection: LiveConnection, message: unknown): unknown => {
    const opening = openingOf(connection);
    if (opening === undefined) return this.run(connection, message);
    return opening.then(() => (connection.open ? this.run(connection, message) : undefined));
  };

  private run(connection: LiveConnection, message: unknown): unknown {
    const { guards } = this.enhanced;
    const args: Args = [connection, message, this.enhanced.type];
    try {
      const passed = guards.length === 0 ? undefined : askGuards(guards, this.contextOf(args), forbidden);
      const result =
        passed === undefined ? this.intercepted(args) : passed.then(() => this.intercepted(args));
      if (isLater(result)) return this.settled(result, args);
      return isObservable(result) ? this.observed(result, args) : result;
    } catch (error) {
      return this.failed(error, args);
    }
  }

  private intercepted(args: Args): unknown {
    if (this.enhanced.interceptors.length === 0) return this.checked(args);
    return this.steps.intercept(this.enhanced, args, () => Promise.resolve().then(() => this.checked(args)));
  }

  private checked(args: Args): unknown {
    const [connection, message, type] = args;
    const { contract } = this.enhanced;
    if (contract === undefined) return this.called(args);
    return contract.around(message, (checked) => this.called([connection, checked, type]));
  }

  private called(args: Args): unknown {
    const { gateway, method, params } = this.enhanced;
    if (params.length === 0) return method.apply(gateway, [...args]);
    const values: unknown[] = [];
    const waiting: Promise<void>[] = [];
    try {
      for (const param of params) {
        const value = valueFor(param, args);
        if (isLater(value)) waiting.push(this.set(values, param, value));
        else values[param.index] = value;
      }
    } catch (error) {
      waiting.push(Promise.reject(error as Error));
    }
    if (waiting.length === 0) return method.apply(gateway, values);
    return Promise.all(waiting).then(() => method.apply(gateway, values));
  }

  private async set(values: unknown[], { index }: HandlerParam, value: PromiseLike<unknown>): Promise<void> {
    values[index] = await value;
  }

  private async settled(result: PromiseLike<unknown>, args: Args): Promise<unknown> {
    try {
      const value = await result;
      return isObservable(value) ? this.observed(value, args) : value;
    } catch (error) {
      return this.failed(error, args);
    }
  }

  private observed(values: Observable<unknown>, args: Args): unknown {
    const caught = values.pipe(
      catchError((error: unknown) => {
        this.failed(error, args);
        return EMPTY;
      }),
    );
    return this.answersOf(caught, args[0], !isVerb(String(this.enhanced.type)));
  }

  private failed(error: unknown, args: Args): undefined {
    this.enhanced.filters.handle(error, this.contextOf(args));
    return undefined;
  }

  private contextOf(args: Args): ExecutionContext {
    return this.steps.contextOf(args, this.enhanced.gateway, this.enhanced.method);
  }
}

/** The error of Nest. */
function forbidden(): WsException {
  return new WsException('Forbidden resource');
}
