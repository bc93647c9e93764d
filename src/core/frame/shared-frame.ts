// hot path
import { Buffer } from 'node:buffer';
import { finalText, final, firstText, continuation, textFrame, frameOf, headerBytes } from './frame-bytes.js';
import { deflate } from './deflate.js';
import { eventBytes, eventStream } from './event-bytes.js';
/** First reserved bit: the payload is compressed (RFC 7692, section 6). */
const compressed = 0x40;

/** 2^32 divided by the golden ratio, so that consecutive marks differ in many bits. */
const markStep = 0x9e37_79b1;
let lastMark = 0;

/**
 * One unmasked WebSocket text frame (RFC 6455, section 5.2), built once and sent to any number of
 * peers. Server frames are not masked, so their bytes are the same for all peers.
 */
export class SharedFrame {
  readonly bytes: Buffer;
  /** Number of messages in it. */
  readonly messages: number;
  /** Almost unique: it repeats after 2^32 other frames. */
  readonly mark = (lastMark = (lastMark + markStep) | 0);
  /** Compressed frames by window, only if worth compressing. */
  private deflated: (SharedFrame | undefined)[] | undefined;
  private readonly smaller: SmallerFrame | undefined;
  /** The same for peers that read an event stream, made for the first of them. */
  private event: SharedFrame | undefined;

  /**
   * @param content - text, or bytes of whole frames
   * @param parts - the frames in those bytes
   * @param insteadText - replacement for peers whose message limit is smaller
   * @param isFragment - whether it is a fragment of a message
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

  /** Joins consecutive frames once for all their receivers. */
  static join(frames: readonly SharedFrame[]): SharedFrame {
    const [first] = frames;
    if (first !== undefined && frames.length === 1) return first;
    const worthCompressing = frames.some(({ deflated }) => deflated !== undefined);
    return new SharedFrame(Buffer.concat(frames.map(({ bytes }) => bytes)), worthCompressing, frames);
  }

  /** Returns this frame, or its replacement if the peer accepts no message this large. [L-9.20] */
  within(maxBytes: number): SharedFrame {
    return this.smaller !== undefined && this.messageBytes > maxBytes ? this.smaller.frame : this;
  }

  /** Bytes of its message without the frame header. */
  get messageBytes(): number {
    return this.bytes.byteLength - headerBytes(this.bytes);
  }

  /**
   * Splits the message into fragments (RFC 6455, section 5.4), so that pings pass between them.
   * Only the last one counts as a message.
   */
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

  /**
   * The same message for peers with this window, for 0 as it is, or as an event of a stream. Made
   * once; returns itself if compression gains nothing.
   */
  for(windowBits: number): SharedFrame {
    if (windowBits === eventStream) return (this.event ??= this.asEvent());
    const { deflated } = this;
    if (windowBits === 0 || deflated === undefined) return this;
    return (deflated[windowBits] ??= this.deflate(windowBits));
  }

  private asEvent(): SharedFrame {
    const { bytes, parts, isFragment } = this;
    if (!isFragment && parts !== undefined)
      return SharedFrame.join(parts.map((part) => part.for(eventStream)));
    return new SharedFrame(eventBytes(bytes, headerBytes(bytes)), false, parts, undefined, isFragment);
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

/** Created once, when the first peer needs it. */
class SmallerFrame {
  private made: SharedFrame | undefined;

  constructor(private readonly text: () => string) {}

  get frame(): SharedFrame {
    return (this.made ??= new SharedFrame(this.text()));
  }
}

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
