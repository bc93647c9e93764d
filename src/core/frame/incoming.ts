import { SharedFrame } from './shared-frame.js';

/**
 * Minimum size of an announced message, in bytes. A smaller one passes a slow line within the
 * client's pong timeout.
 */
const announcedFromBytes = 65_536;

/** Size of a fragment, in bytes. A ping waits for at most one of them. */
const fragmentBytes = 65_536;

/**
 * Returns the frame, or an announcement and fragments for a large one. Many APIs expose nothing of
 * a message before its end [L-8.5], and fragments show that a slow peer reads. [L-8.6]
 */
export function announced(frame: SharedFrame): readonly SharedFrame[] {
  const bytes = frame.bytes.length;
  if (bytes <= announcedFromBytes) return [frame];
  return [new SharedFrame(`{"type":"incoming","bytes":${String(bytes)}}`), ...frame.fragments(fragmentBytes)];
}
