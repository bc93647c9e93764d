import { Buffer } from 'node:buffer';

/**
 * Reads the texts of unmasked WebSocket text messages, whole or fragmented. A frame never spans two
 * writes.
 */
export class FrameTexts {
  /** Fragments of an incomplete message. */
  private fragments: Buffer[] = [];

  /**
   * Returns the texts completed by these bytes.
   *
   * @throws Error if they contain anything else
   */
  read(bytes: Uint8Array): string[] {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const texts: string[] = [];
    for (let at = 0; at < buffer.length;) {
      const first = buffer.readUInt8(at);
      const opcode = this.fragments.length === 0 ? 1 : 0;
      if ((first & 0x7f) !== opcode) throw new Error(`Not a text frame at ${String(at)}`);
      const short = buffer.readUInt8(at + 1);
      const header = short < 126 ? 2 : short === 126 ? 4 : 10;
      const length =
        short < 126
          ? short
          : short === 126
            ? buffer.readUInt16BE(at + 2)
            : Number(buffer.readBigUInt64BE(at + 2));
      if (at + header + length > buffer.length) throw new Error(`A frame without its end at ${String(at)}`);
      // A copy, because the server may reuse its memory after the write.
      this.fragments.push(Buffer.from(buffer.subarray(at + header, at + header + length)));
      at += header + length;
      if ((first & 0x80) === 0) continue;
      texts.push(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(this.fragments)));
      this.fragments = [];
    }
    return texts;
  }
}
