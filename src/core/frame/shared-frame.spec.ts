import { randomBytes } from 'node:crypto';
import { constants, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SharedFrame } from './shared-frame.js';

/** A parser written independently from RFC 6455, section 5.2. */
function read(bytes: Buffer): {
  opcode: number;
  final: boolean;
  masked: boolean;
  text: string;
  rest: number;
} {
  const short = (bytes[1] ?? 0) & 0x7f;
  const start = short < 126 ? 2 : short === 126 ? 4 : 10;
  const length =
    short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  return {
    opcode: (bytes[0] ?? 0) & 0x0f,
    final: ((bytes[0] ?? 0) & 0xf0) === 0x80,
    masked: ((bytes[1] ?? 0) & 0x80) !== 0,
    text: bytes.subarray(start, start + length).toString('utf8'),
    rest: bytes.length - start - length,
  };
}

const frame = { opcode: 1, final: true, masked: false, rest: 0 };

describe('SharedFrame', () => {
  it.each([9, 12, 15])(
    '[L-4.6] a text is compressed once for all peers with a window of 2^%i',
    (windowBits) => {
      const text = JSON.stringify(
        Array.from({ length: 100 }, (_, i) => ({ id: i, name: 'vehicle', speed: i % 7 })),
      );
      const frame = new SharedFrame(text, true);
      const { bytes } = frame.for(windowBits);
      expect(frame.for(windowBits).bytes).toBe(bytes);
      // FIN, text opcode, first reserved bit.
      expect(bytes[0]).toBe(0xc1);
      const payload = bytes.subarray((bytes[1] ?? 0) < 126 ? 2 : 4);
      const tail = Buffer.from([0, 0, 0xff, 0xff]);
      const inflated = inflateRawSync(Buffer.concat([payload, tail]), {
        windowBits,
        finishFlush: constants.Z_SYNC_FLUSH,
      });
      expect(inflated.toString('utf8')).toBe(text);
      expect(bytes.length).toBeLessThan(frame.bytes.length * 0.4);
    },
  );

  it('[L-4.9] frames that are sent together are joined, compressed or not', () => {
    const parts = [
      new SharedFrame('x'.repeat(2_000), true),
      new SharedFrame('short'),
      new SharedFrame('y'.repeat(3_000), true),
    ];
    const joined = SharedFrame.join(parts);
    expect(joined.bytes).toEqual(Buffer.concat(parts.map(({ bytes }) => bytes)));
    expect(joined.for(15).bytes).toEqual(Buffer.concat(parts.map((part) => part.for(15).bytes)));
    expect(joined.for(15)).toBe(joined.for(15));
    expect(SharedFrame.join(parts.slice(1, 2))).toBe(parts[1]);
  });

  it('[L-4.6] a frame stays uncompressed for peers without compression, and if it is short or gains nothing', () => {
    const long = new SharedFrame('x'.repeat(2_000), true);
    const short = new SharedFrame('x'.repeat(2_000));
    const dense = new SharedFrame(randomBytes(500).toString('base64url').slice(0, 60), true);
    expect(long.for(0)).toBe(long);
    expect(short.for(15)).toBe(short);
    expect(dense.for(15)).toBe(dense);
  });

  it.each([0, 1, 125, 126, 127, 65_535, 65_536, 70_000])(
    'a text of %i bytes is framed with the shortest header',
    (length) => {
      const { bytes } = new SharedFrame('x'.repeat(length));
      expect(read(bytes)).toEqual({ ...frame, text: 'x'.repeat(length) });
      expect(bytes.length - length).toBe(length < 126 ? 2 : length < 65_536 ? 4 : 10);
    },
  );

  it('any text is framed with its length in UTF-8 bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
        expect(read(new SharedFrame(text).bytes)).toEqual({ ...frame, text });
      }),
    );
  });
});
