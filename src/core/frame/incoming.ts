import { SharedFrame } from './shared-frame.js';

/** Bytes from which a message is announced: less passes a slow line within a client's pong timeout. */
const announcedFromBytes = 65_536;

/** The frame, behind its announcement where it is large: many APIs show nothing of a message before its end. [L-8.5] */
export function announced(frame: SharedFrame): readonly SharedFrame[] {
  const bytes = frame.bytes.length;
  if (bytes <= announcedFromBytes) return [frame];
  return [new SharedFrame(`{"type":"incoming","bytes":${String(bytes)}}`), frame];
}
