import { Buffer } from 'node:buffer';
import { pageText } from './message-text.js';
import { SharedFrame } from './shared-frame.js';

/** Largest page, in bytes of JSON text. A larger message would have to be announced. [L-8.5] */
export const maxPageBytes = 61_440;

const [quote, backslash, comma, brace, bracket] = [0x22, 0x5c, 0x2c, 0x7b, 0x5b];

/**
 * Splits the JSON text of an object or an array between its fields or elements, into texts of at
 * most `maxBytes` that have the same content together, in the same order. A field that is larger by
 * itself makes a larger page. Returns `undefined` for text that fits one page, and for any other
 * text. [L-6.10]
 */
export function pagesOf(text: string, maxBytes = maxPageBytes): string[] | undefined {
  const first = text.charCodeAt(0);
  if (text.length <= maxBytes / 3 || (first !== brace && first !== bracket)) return undefined;
  const pages: string[] = [];
  const [open, close] = [text.slice(0, 1), text.slice(-1)];
  // Where the page begins, and where its last whole field ends; and the bytes up to there.
  let start = 1;
  let end = 1;
  let bytes = 0;
  let fieldBytes = 0;
  const cut = (): void => {
    pages.push(open + text.slice(start, end) + close);
    start = end + 1;
    bytes = 0;
  };
  const fieldEnds = (at: number): void => {
    if (end > start && bytes + fieldBytes + 2 > maxBytes) cut();
    end = at;
    bytes += fieldBytes;
    fieldBytes = 0;
  };
  let depth = 0;
  let isInText = false;
  for (let at = 1; at < text.length - 1; at++) {
    const code = text.charCodeAt(at);
    if (code === comma && depth === 0 && !isInText) fieldEnds(at);
    fieldBytes += code < 0x80 ? 1 : code < 0x8_00 ? 2 : 3;
    if (code === quote) isInText = !isInText;
    else if (isInText) {
      if (code !== backslash) continue;
      at += 1;
      fieldBytes += 1;
    } else if (code === brace || code === bracket) depth += 1;
    // The closing ones are two behind the opening ones.
    else if (code === brace + 2 || code === bracket + 2) depth -= 1;
  }
  fieldEnds(text.length - 1);
  cut();
  return pages.length > 1 ? pages : undefined;
}

/** The pages of one snapshot. Their texts are parts of its text. */
export class SnapshotPages {
  /** Peers that read at the same time share a frame, but no frame outlives its readers. */
  private readonly frames: WeakRef<SharedFrame>[] = [];
  /** Measured once, for the first peer with a limit. */
  private largest: number | undefined;

  constructor(
    private readonly topic: string,
    private readonly texts: readonly string[],
  ) {}

  get count(): number {
    return this.texts.length;
  }

  /** Bytes of the largest `page` message. */
  get maxBytes(): number {
    return (this.largest ??= Math.max(
      ...this.texts.map((text) => Buffer.byteLength(pageText(this.topic, text, true))),
    ));
  }

  /** The message with the page at an index below `count`. */
  frame(at: number): SharedFrame {
    let frame = this.frames[at]?.deref();
    if (frame === undefined) {
      frame = new SharedFrame(pageText(this.topic, this.texts[at] ?? '', at === this.count - 1));
      this.frames[at] = new WeakRef(frame);
    }
    return frame;
  }
}

/** Pages of snapshots, made once for all who get the same snapshot and accept the same size. */
export class Pages {
  private readonly made = new WeakMap<object, Map<number, SnapshotPages | undefined>>();

  /**
   * @param snapshot - `text` of one snapshot of the topic; the pages live as long as this object
   * @param maxBytes - maximum size of a `page` message that does not have a single field
   */
  of(
    topic: string,
    snapshot: { readonly text: string | undefined },
    maxBytes: number,
  ): SnapshotPages | undefined {
    const { text } = snapshot;
    if (text === undefined) return undefined;
    const sizes = this.made.get(snapshot) ?? new Map<number, SnapshotPages | undefined>();
    this.made.set(snapshot, sizes);
    if (!sizes.has(maxBytes)) {
      const texts = pagesOf(text, maxBytes);
      sizes.set(maxBytes, texts && new SnapshotPages(topic, texts));
    }
    return sizes.get(maxBytes);
  }
}
