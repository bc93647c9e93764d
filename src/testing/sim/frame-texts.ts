import { Buffer } from 'node:buffer';

/**
 * The texts of whole, unmasked WebSocket text frames.
 *
 * @throws Error when there is anything else
 */
export function frameTexts(bytes: Uint8Array): string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const texts: string[] = [];
  for (let at = 0; at < buffer.length;) {
    if (buffer[at] !== 0x81) throw new Error(`Not a final text frame at ${String(at)}`);
    const short = buffer.readUInt8(at + 1);
    const header = short < 126 ? 2 : short === 126 ? 4 : 10;
    const length =
      short < 126
        ? short
        : short === 126
          ? buffer.readUInt16BE(at + 2)
          : Number(buffer.readBigUInt64BE(at + 2));
    if (at + header + length > buffer.length) throw new Error(`A frame without its end at ${String(at)}`);
    texts.push(buffer.toString('utf8', at + header, at + header + length));
    at += header + length;
  }
  return texts;
}
