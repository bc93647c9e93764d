// hot path
import { Buffer } from 'node:buffer';
import { constants, deflateRawSync } from 'node:zlib';

/**
 * A flush ends with an empty block, which is omitted and restored by the receiver (RFC 7692,
 * section 7.2.1).
 */
const tailBytes = 4;

/** Smallest and largest window that zlib supports for raw data, as powers of two. */
export const windowBitsRange = { least: 9, most: 15 } as const;

/**
 * Compresses the payload of one message for permessage-deflate (RFC 7692) without context takeover,
 * so the result is the same for every peer with this window. Synchronous, because frames must stay
 * in order: 1 KB of JSON takes some 30 µs, once for all peers.
 *
 * @param windowBits - 9 to 15
 */
export function deflate(payload: Uint8Array, windowBits: number): Buffer {
  const deflated = deflateRawSync(payload, { windowBits, finishFlush: constants.Z_SYNC_FLUSH });
  return deflated.subarray(0, deflated.byteLength - tailBytes);
}
