import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { isVerb } from '../../core/verbs/verbs.js';
import type { ErrorCode } from '../../protocol/codes.js';
import { LiveError } from '../../protocol/live.error.js';

const codeByStatus: Readonly<Record<number, ErrorCode>> = {
  400: 'validation-failed',
  401: 'forbidden',
  403: 'forbidden',
  404: 'forbidden',
  413: 'limit-exceeded',
  422: 'validation-failed',
  429: 'rate-limited',
  503: 'unavailable',
};

const longestMessage = 256;

/**
 * Converts errors of handlers, guards, pipes and interceptors to the protocol's `error`. A method's
 * own filters run first. It throws the result: the session answers with the request's id and logs
 * internal errors. [L-2.10] [L-2.11]
 */
@Catch()
export class LiveExceptionFilter implements ExceptionFilter {
  catch(exception: unknown, host: ArgumentsHost): never {
    // An invalid field of the protocol's own types has the same code, whoever detects it. [L-2.6]
    throw isVerb(host.switchToWs().getPattern()) && isFromValidationPipe(exception)
      ? new LiveError('protocol-violation', wordsOf(exception.getResponse(), exception.message))
      : toLiveError(exception);
  }
}

/** A `ValidationPipe` of the application runs before our own and returns a list of messages. */
function isFromValidationPipe(exception: unknown): exception is HttpException {
  if (!(exception instanceof HttpException) || exception.getStatus() !== 400) return false;
  return Array.isArray((exception.getResponse() as { message?: unknown }).message);
}

function toLiveError(exception: unknown): unknown {
  if (exception instanceof HttpException) {
    const code = codeByStatus[exception.getStatus()];
    return code === undefined
      ? exception
      : new LiveError(code, wordsOf(exception.getResponse(), exception.message));
  }
  if (exception instanceof WsException) {
    const words = wordsOf(exception.getError(), exception.message);
    // Nest throws this error when a guard returns false.
    return new LiveError(words === 'Forbidden resource' ? 'forbidden' : 'validation-failed', words);
  }
  return exception;
}

function wordsOf(response: string | object, fallback: string): string {
  const said: unknown = typeof response === 'string' ? response : (response as { message?: unknown }).message;
  const words = Array.isArray(said) ? said.join('; ') : said;
  return (typeof words === 'string' ? words : fallback).slice(0, longestMessage);
}
