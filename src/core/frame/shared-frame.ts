// hot path
import { Buffer } from 'node:buffer';

const finalText = 0x81;

/** 2^32 divided by the golden ratio, so that marks which follow each other differ in all their bits. */
const markStep = 0x9e37_79b1;
let lastMark = 0;

/**
 * One unmasked WebSocket text frame (RFC 6455, section 5.2), made once and sent to any number of peers: what a server
 * sends is not masked, so the bytes are the same for all.
 */
export class SharedFrame {
  readonly bytes: Buffer;
  /** Tells frames apart, though not for certain: it comes again after 2^32 others. */
  readonly mark = (lastMark = (lastMark + markStep) | 0);

  constructor(text: string) {
    const length = Buffer.byteLength(text, 'utf8');
    const header = length < 126 ? 2 : length < 65_536 ? 4 : 10;
    const bytes = Buffer.allocUnsafe(header + length);
    bytes[0] = finalText;
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
    bytes.write(text, header, 'utf8');
    this.bytes = bytes;
  }
}
