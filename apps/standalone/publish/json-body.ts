import type { IncomingMessage } from 'node:http';
import { BadRequestException, PayloadTooLargeException, UnsupportedMediaTypeException } from '@nestjs/common';
import { JsonText } from 'nestjs-live';

/** A body that is valid JSON. */
export interface JsonBody {
  readonly text: string;
  readonly value: unknown;
}

/**
 * Reads a request's body as JSON. Throws Nest's exceptions: 415 for another type or a compressed
 * body, 413 above `maxBytes`, 400 for invalid JSON. It is not a middleware, so that guards run
 * first.
 */
export async function readJsonBody(request: IncomingMessage, maxBytes: number): Promise<JsonBody> {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (type !== 'application/json') {
    throw new UnsupportedMediaTypeException('The body must be sent with Content-Type: application/json');
  }
  if ((request.headers['content-encoding'] ?? 'identity') !== 'identity') {
    throw new UnsupportedMediaTypeException('The body must not be compressed');
  }
  const text = decoded(await bytesOf(request, maxBytes));
  try {
    return { text, value: JsonText.parse(text).value };
  } catch (error) {
    throw new BadRequestException((error as Error).message);
  }
}

/**
 * Reads an oversized body to its end and discards it: a sender that is cut off would miss the
 * answer.
 */
function bytesOf(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.byteLength;
      if (bytes <= maxBytes) {
        chunks.push(chunk);
        return;
      }
      chunks = [];
      reject(new PayloadTooLargeException(`The body may have at most ${String(maxBytes)} bytes`));
    });
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('close', () => reject(new BadRequestException('The body ended too early')));
  });
}

function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new BadRequestException('The body is not valid UTF-8');
  }
}
