import { clientFrame } from '../../support/raw-peer.js';
import type { Random } from './random.js';

const mask = Buffer.from([1, 2, 3, 4]);

/** Any frame, valid or not: `first` is the first byte, `length` the length in the header. */
function frame(
  first: number,
  payload: Uint8Array,
  length: number | bigint = payload.length,
  masked = true,
): Buffer {
  const bit = masked ? 0x80 : 0;
  let head: Buffer;
  if (length < 126) head = Buffer.from([first, bit | Number(length)]);
  else if (length < 65_536) {
    head = Buffer.from([first, bit | 126, 0, 0]);
    head.writeUInt16BE(Number(length), 2);
  } else {
    head = Buffer.alloc(10);
    head[0] = first;
    head[1] = bit | 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  if (!masked) return Buffer.concat([head, payload]);
  return Buffer.concat([head, mask, payload.map((byte, i) => byte ^ (mask[i % 4] ?? 0))]);
}

const text = (value: string): Buffer => Buffer.from(value);
const none = Buffer.alloc(0);
const notUtf8 = [
  [0xff],
  [0xc0, 0x80],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xe2, 0x82],
  [0x80],
].map((bytes) => Buffer.from(bytes));
const badCloseCodes = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535];

function closeWith(code: number): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return payload;
}

type Make = (random: Random) => Buffer;

/** Odd frames that do not end the connection at once. */
const harmless: readonly Make[] = [
  (random) => clientFrame(random.bytes(random.below(126)), 0x89),
  (random) => clientFrame(random.bytes(random.below(126)), 0x8a),
  () => clientFrame('', 0x81),
  () => clientFrame('not JSON'),
  () => clientFrame('{"type":"ping","id":1}'),
  // A length in more bytes than necessary.
  () => Buffer.concat([Buffer.from([0x81, 0xfe, 0, 2]), mask, Buffer.from([0x7b ^ 1, 0x7d ^ 2])]),
  // A message in fragments, some of them empty, with a ping in between.
  () =>
    Buffer.concat([
      frame(0x01, text('{"typ')),
      clientFrame('', 0x89),
      frame(0x00, none),
      frame(0x80, text('e":1}')),
    ]),
];

/** Frames that end a connection. Each is an attack or a bug of the peer. */
const fatal: Readonly<Record<string, Make>> = {
  'reserved opcode': (random) => frame(0x80 | random.pick([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]), text('x')),
  'reserved bits': (random) => frame(0x81 | ((1 + random.below(7)) << 4), text('x')),
  unmasked: (random) => frame(random.pick([0x81, 0x82, 0x88, 0x89]), text('{}'), 2, false),
  'long control frame': (random) =>
    frame(random.pick([0x88, 0x89, 0x8a]), Buffer.alloc(126 + random.below(200))),
  'fragmented control frame': (random) => frame(random.pick([0x08, 0x09, 0x0a]), text('x')),
  'no UTF-8': (random) => frame(0x81, random.pick(notUtf8)),
  'no UTF-8 in a close reason': (random) =>
    frame(0x88, Buffer.concat([closeWith(1000), random.pick(notUtf8)])),
  'invalid close code': (random) => frame(0x88, closeWith(random.pick(badCloseCodes))),
  'close of one byte': () => frame(0x88, Buffer.from([3])),
  'close without code': () => frame(0x88, none),
  'one byte too long': (random) => frame(0x81, random.bytes(100), 65_537),
  'length 2^31': () => frame(0x81, text('x'), 2 ** 31),
  'length 2^53': () => frame(0x81, text('x'), 2n ** 53n),
  'length 2^63': () => frame(0x81, text('x'), 2n ** 63n),
  'length 2^64 - 1': () => frame(0x82, text('x'), 2n ** 64n - 1n),
  'too much in pieces': () =>
    Buffer.concat([frame(0x01, Buffer.alloc(40_000, 'x')), frame(0x00, Buffer.alloc(30_000, 'x'))]),
  'continuation of nothing': (random) => frame(random.pick([0x00, 0x80]), text('x')),
  'text within text': () => Buffer.concat([frame(0x01, text('a')), frame(0x81, text('b'))]),
  'too many pieces': () =>
    Buffer.concat([frame(0x01, text('a')), ...Array.from({ length: 40 }, () => frame(0x00, text('a')))]),
  'empty pieces': () =>
    Buffer.concat([frame(0x01, none), ...Array.from({ length: 40 }, () => frame(0x00, none))]),
  binary: (random) => frame(0x82, random.bytes(random.below(50))),
  bytes: (random) => random.bytes(2 + random.below(200)),
};

export interface Batch {
  readonly bytes: Buffer;
  readonly frames: number;
  readonly kind: string;
}

/** The frames of one connection: odd ones, one that ends it, and more behind that. */
export function malformedBatch(random: Random): Batch {
  const frames: Buffer[] = [];
  for (let i = random.below(36); i > 0; i--) frames.push(random.pick(harmless)(random));
  const kind = random.pick(Object.keys(fatal));
  frames.push((fatal[kind] as Make)(random));
  for (let i = random.below(12); i > 0; i--) {
    const make = random.chance(0.5) ? random.pick(harmless) : random.pick(Object.values(fatal));
    frames.push(make(random));
  }
  return { bytes: Buffer.concat(frames), frames: frames.length, kind };
}

/** 16,000 fragments of one byte. */
export const fragmentBomb: Buffer = Buffer.concat([
  frame(0x01, text('a')),
  ...Array.from({ length: 16_000 }, () => frame(0x00, text('a'))),
]);

/** About a megabyte of pings. Their pongs wait for a peer that does not read. */
export const pings: Buffer = Buffer.concat(
  Array.from({ length: 8_000 }, () => clientFrame(Buffer.alloc(125), 0x89)),
);
