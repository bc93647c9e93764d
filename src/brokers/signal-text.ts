import { Buffer } from 'node:buffer';
import { maxSignalBytes } from '../core/ports/broker.js';

/** Version and space before a signal's text. */
const head = '1 ';

/** A signal as instances exchange it. */
export function signalText(text: string): string {
  return head + text;
}

/** A received signal's text; `undefined` if it is of another version, forged, or too large. */
export function readSignal(bytes: Uint8Array): string | undefined {
  if (bytes.length > maxSignalBytes + head.length) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  return text.startsWith(head) ? text.slice(head.length) : undefined;
}
