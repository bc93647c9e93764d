import { Buffer } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../core/ports/clock.js';
import { Refusal } from '../ws/refusal.js';

export interface BodyLimits {
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

/**
 * Reads the body of a request as UTF-8. Rejects with a `Refusal` if it is larger or slower
 * than its limits, cut, or no UTF-8. [L-12.7]
 */
export function readBody(
  request: IncomingMessage,
  { maxBytes, timeoutMs }: BodyLimits,
  clock: Clock,
): Promise<string> {
  const tooLarge = new Refusal(413, `A body has at most ${String(maxBytes)} bytes`, {}, 'malformed');
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return Promise.reject(tooLarge);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const end = (refusal?: Refusal): void => {
      cancel();
      request.off('data', take).off('end', complete).off('close', cut).off('error', cut);
      request.on('error', ignore);
      if (refusal !== undefined) reject(refusal);
    };
    const take = (chunk: Buffer): void => {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) end(tooLarge);
      else chunks.push(chunk);
    };
    const complete = (): void => {
      end();
      try {
        resolve(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)));
      } catch {
        reject(new Refusal(400, 'The body is not UTF-8'));
      }
    };
    const cut = (): void => end(new Refusal(400, 'The body was cut'));
    const cancel = clock.after(timeoutMs, () => end(new Refusal(408, 'The body did not arrive in time')));
    request.on('data', take).on('end', complete).on('close', cut).on('error', cut);
  });
}

function ignore(): void {}
