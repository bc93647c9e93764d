import type { Buffer } from 'node:buffer';
import { constants, deflateRawSync } from 'node:zlib';

/** Every flush ends with an empty block, which is not sent: the receiver adds it again (RFC 7692, section 7.2.1). */
const tailBytes = 4;

/** The smallest window that zlib can use for raw data, and the largest there is, as powers of two. */
export const windowBitsRange = { least: 9, most: 15 } as const;

/**
 * The payload of one message for permessage-deflate (RFC 7692) without context takeover: it stands for itself, so it is
 * the same for every peer with this window. Done at once, because frames must not overtake each other: 1 KB of JSON
 * takes some 30 µs, once for all peers.
 *
 * @param windowBits 9 to 15
 */
export function deflate(payload: Uint8Array, windowBits: number): Buffer {
  const deflated = deflateRawSync(payload, { windowBits, finishFlush: constants.Z_SYNC_FLUSH });
  return deflated.subarray(0, deflated.byteLength - tailBytes);
}
