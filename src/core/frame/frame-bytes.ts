// hot path
import { Buffer } from 'node:buffer';

export const finalText = 0x81;
/** FIN bit of the last frame of a message, and the opcodes of its first and later frames. */
export const final = 0x80;
export const firstText = 0x01;
export const continuation = 0x00;

export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text, 'utf8');
  const bytes = frameOf(finalText, length);
  bytes.write(text, bytes.byteLength - length, 'utf8');
  return bytes;
}

/** Allocates a frame whose payload of `length` bytes is not written yet. */
export function frameOf(first: number, length: number): Buffer {
  const header = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const bytes = Buffer.allocUnsafe(header + length);
  bytes[0] = first;
  if (header === 2) {
    bytes[1] = length;
  } else if (header === 4) {
    bytes[1] = 126;
    bytes.writeUInt16BE(length, 2);
  } else {
    bytes[1] = 127;
    bytes.writeUInt32BE(Math.floor(length / 2 ** 32), 2);
    bytes.writeUInt32BE(length % 2 ** 32, 6);
  }
  return bytes;
}

export function headerBytes(frame: Buffer): number {
  const length = frame[1] ?? 0;
  return length < 126 ? 2 : length === 126 ? 4 : 10;
}
