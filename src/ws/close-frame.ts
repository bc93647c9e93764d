import { Buffer } from 'node:buffer';

/** A control frame holds 125 bytes; the code takes two of them (RFC 6455, section 5.5). [L-10.4] */
const maxReasonBytes = 123;

/** Shortens a reason to fit into a close frame, without splitting a character. */
export function fittingReason(reason: string): string {
  if (Buffer.byteLength(reason) <= maxReasonBytes) return reason;
  let bytes = 0;
  let fitting = '';
  for (const character of reason) {
    bytes += Buffer.byteLength(character);
    if (bytes > maxReasonBytes) break;
    fitting += character;
  }
  return fitting;
}

/** Returns the code if a close frame may carry it (RFC 6455, section 7.4), otherwise 1011. */
export function fittingCode(code: number): number {
  const registered = code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
  return Number.isInteger(code) && (registered || (code >= 3000 && code <= 4999)) ? code : 1011;
}
