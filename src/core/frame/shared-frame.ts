// hot path
import { Buffer } from 'node:buffer';
import { constants, deflateRawSync } from 'node:zlib';

const finalText = 0x81;
/** The bit of the last frame of a message, and the opcodes of its first frame and of those after it. */
const final = 0x80;
const firstText = 0x01;
const continuation = 0x00;
/** The first reserved bit: the payload is compressed (RFC 7692, section 6). */
const compressed = 0x40;

/** No peer takes less than this in one message: without data and snapshot each fits. [L-9.20] */
export const leastMessageBytes = 1_024;

/** 2^32 divided by the golden ratio, so that marks which follow each other differ in all their bits. */
const markStep = 0x9e37_79b1;
let lastMark = 0;

/**
 * One unmasked WebSocket text frame (RFC 6455, section 5.2), made once and sent to any number of peers: what a server
 * sends is not masked, so the bytes are the same for all.
 */
export class SharedFrame {
  readonly bytes: Buffer;
  /** How many messages it holds. */
  readonly messages: number;
  /** Tells frames apart, though not for certain: it comes again after 2^32 others. */
  readonly mark = (lastMark = (lastMark + markStep) | 0);
  /** By window; only for a frame that is worth it. */
  private deflated: (SharedFrame | undefined)[] | undefined;
  private readonly smaller: SmallerFrame | undefined;

  /**
   * @param content the text, or bytes that are whole frames already
   * @param parts those frames
   * @param insteadText what a peer gets that takes no message so large
   * @param isFragment whether it is a part of a message
   */
  constructor(
    content: string | Buffer,
    worthCompressing = false,
    private readonly parts?: readonly SharedFrame[],
    insteadText?: () => string,
    readonly isFragment = false,
  ) {
    this.smaller = insteadText && new SmallerFrame(insteadText);
    this.messages = parts?.reduce((sum, { messages }) => sum + messages, 0) ?? 1;
    this.bytes = typeof content === 'string' ? textFrame(content) : content;
    this.deflated = worthCompressing ? [] : undefined;
  }

  /** Several frames that go out one after the other, joined once for all who get them. */
  static join(frames: readonly SharedFrame[]): SharedFrame {
    const [first] = frames;
    if (first !== undefined && frames.length === 1) return first;
    const worthCompressing = frames.some(({ deflated }) => deflated !== undefined);
    return new SharedFrame(Buffer.concat(frames.map(({ bytes }) => bytes)), worthCompressing, frames);
  }

  /** This frame, or what stands for it for a peer that takes no message above so many bytes. [L-9.20] */
  within(mostBytes: number): SharedFrame {
    return this.smaller !== undefined && this.messageBytes > mostBytes ? this.smaller.frame : this;
  }

  /** Bytes of its one message, without the frame around it. */
  get messageBytes(): number {
    return this.bytes.byteLength - headerBytes(this.bytes);
  }

  /** The message in fragments of so many bytes (RFC 6455, section 5.4): pings go between them. Only the last one counts as a message. */
  fragments(maxBytes: number): SharedFrame[] {
    const { bytes } = this;
    const fragments: SharedFrame[] = [];
    for (let at = headerBytes(bytes); at < bytes.byteLength; at += maxBytes) {
      const payload = bytes.subarray(at, at + maxBytes);
      const isLast = at + maxBytes >= bytes.byteLength;
      const first = (fragments.length === 0 ? firstText : continuation) | (isLast ? final : 0);
      const frame = frameOf(first, payload.byteLength);
      frame.set(payload, frame.byteLength - payload.byteLength);
      fragments.push(new SharedFrame(frame, false, isLast ? undefined : [], undefined, true));
    }
    return fragments;
  }

  /** The same message for peers with this window, 0 for those that take none compressed. Made once; itself where it gains nothing. */
  for(windowBits: number): SharedFrame {
    const { deflated } = this;
    if (windowBits === 0 || deflated === undefined) return this;
    return (deflated[windowBits] ??= this.deflate(windowBits));
  }

  private deflate(windowBits: number): SharedFrame {
    const { bytes, parts } = this;
    if (parts !== undefined) return SharedFrame.join(parts.map((part) => part.for(windowBits)));
    const payload = deflate(bytes.subarray(headerBytes(bytes)), windowBits);
    const frame = frameOf(finalText | compressed, payload.byteLength);
    if (frame.byteLength >= bytes.byteLength) return this;
    frame.set(payload, frame.byteLength - payload.byteLength);
    return new SharedFrame(frame);
  }
}

/** Made when the first peer needs it, once for all. */
class SmallerFrame {
  private made: SharedFrame | undefined;

  constructor(private readonly text: () => string) {}

  get frame(): SharedFrame {
    return (this.made ??= new SharedFrame(this.text()));
  }
}

function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text, 'utf8');
  const bytes = frameOf(finalText, length);
  bytes.write(text, bytes.byteLength - length, 'utf8');
  return bytes;
}

/** A frame whose payload, of `length` bytes, is still to be written. */
function frameOf(first: number, length: number): Buffer {
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

function headerBytes(frame: Buffer): number {
  const length = frame[1] ?? 0;
  return length < 126 ? 2 : length === 126 ? 4 : 10;
}

/** Every flush ends with an empty block, which is not sent: the receiver adds it again (RFC 7692, section 7.2.1). */
const tailBytes = 4;

/** The smallest window that zlib can use for raw data, and the largest there is, as powers of two. */
export const windowBitsRange = { least: 9, most: 15 } as const;

/**
 * The payload of one message for permessage-deflate (RFC 7692) without context takeover: it stands for itself, so it is
 * the same for every peer with this window. Done at once, because frames must not overtake each other: 1 KB of JSON
 * takes some 30 µs, once for all peers.
 *
 * @param windowBits 9 to 15
 */
export function deflate(payload: Uint8Array, windowBits: number): Buffer {
  const deflated = deflateRawSync(payload, { windowBits, finishFlush: constants.Z_SYNC_FLUSH });
  return deflated.subarray(0, deflated.byteLength - tailBytes);
}
