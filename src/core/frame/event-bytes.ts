// hot path
import { Buffer } from 'node:buffer';
import { final } from './frame-bytes.js';

/**
 * Stands in place of a compression window, for a peer that reads an event stream
 * (text/event-stream) instead of WebSocket frames. No window is that small.
 */
export const eventStream = 1;

const field = Buffer.from('data: ');
const opcodeBits = 0x0f;
const [lineFeed, carriageReturn, space] = [0x0a, 0x0d, 0x20];

/**
 * The frame's message as one event, or its part of the event if the frame is a fragment. Line ends
 * would split the event. In JSON they stand only between tokens, so that spaces may replace them.
 */
export function eventBytes(frame: Buffer, headerBytes: number): Buffer {
  const head = frame[0] ?? 0;
  const before = (head & opcodeBits) === 0 ? 0 : field.byteLength;
  const after = (head & final) === 0 ? 0 : 2;
  const end = before + frame.byteLength - headerBytes;
  const bytes = Buffer.allocUnsafe(end + after);
  if (before > 0) bytes.set(field);
  bytes.set(headerBytes > 0 ? frame.subarray(headerBytes) : frame, before);
  for (const byte of [lineFeed, carriageReturn])
    for (let at = bytes.indexOf(byte, before); at >= 0 && at < end; at = bytes.indexOf(byte, at + 1))
      bytes[at] = space;
  if (after > 0) bytes.fill(lineFeed, end);
  return bytes;
}
