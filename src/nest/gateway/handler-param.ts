import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { isLater } from '../../core/ports/contract.js';

/** One parameter of a handler: where its value comes from, and the pipes that it passes. */
export interface HandlerParam {
  /** Place among the handler's parameters. */
  readonly index: number;
  /** Finds the value among connection, message, and message type. */
  readonly extract: (...args: readonly unknown[]) => unknown;
  readonly pipes: readonly PipeTransform[];
  readonly metadata: ArgumentMetadata;
}

/** The value of a parameter, or a promise if a decorator or a pipe gives one. */
export function valueFor(param: HandlerParam, args: readonly unknown[]): unknown {
  const value = param.extract(...args);
  return param.pipes.length === 0 ? value : piped(param, value, 0);
}

function piped(param: HandlerParam, value: unknown, first: number): unknown {
  let result = value;
  for (let i = first; ; i++) {
    if (isLater(result)) return result.then((settled) => piped(param, settled, i));
    const pipe = param.pipes[i];
    if (pipe === undefined) return result;
    result = pipe.transform(result, param.metadata) as unknown;
  }
}
