import { SharedFrame } from './shared-frame.js';

/** Bytes from which a message is announced: less passes a slow line within a client's pong timeout. */
const announcedFromBytes = 65_536;

/** Bytes of a fragment: so many wait in the socket while a ping waits for its turn. */
const fragmentBytes = 65_536;

/**
 * The frame; a large one behind its announcement, because many APIs show nothing of a message before its end [L-8.5], and in
 * fragments, so that a peer that reads slowly is seen to read. [L-8.6]
 */
export function announced(frame: SharedFrame): readonly SharedFrame[] {
  const bytes = frame.bytes.length;
  if (bytes <= announcedFromBytes) return [frame];
  return [new SharedFrame(`{"type":"incoming","bytes":${String(bytes)}}`), ...frame.fragments(fragmentBytes)];
}
