import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';

/** One parameter of a handler: where its value comes from, and the pipes that it passes. */
export class HandlerParam {
  /**
   * @param index - place among the handler's parameters
   * @param extract - finds the value among connection, message, and message type
   */
  constructor(
    readonly index: number,
    private readonly extract: (...args: readonly unknown[]) => unknown,
    private readonly pipes: readonly PipeTransform[],
    private readonly metadata: ArgumentMetadata,
  ) {}

  /** The value, or a promise if a decorator or a pipe gives one. */
  valueOf(args: readonly unknown[]): unknown {
    const value = this.extract(...args);
    return this.pipes.length === 0 ? value : this.piped(value, 0);
  }

  private piped(value: unknown, first: number): unknown {
    let result = value;
    for (let i = first; ; i++) {
      if (isPromise(result)) return result.then((settled) => this.piped(settled, i));
      const pipe = this.pipes[i];
      if (pipe === undefined) return result;
      result = pipe.transform(result, this.metadata) as unknown;
    }
  }
}

/** Whether it has to be awaited. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
