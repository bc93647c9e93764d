import type { StoredMessage } from './stored-message.js';

/** Approximate overhead per message. */
const overheadBytes = 500;

/**
 * Messages by their stream sequence; they never change. Bounded: the least recently used are
 * dropped.
 */
export class MessageCache {
  private readonly bySeq = new Map<number, { readonly subject: string; readonly message: StoredMessage }>();
  private byteLength = 0;

  constructor(private readonly maxBytes: number) {}

  get(seq: number, subject: string): StoredMessage | undefined {
    const found = this.bySeq.get(seq);
    if (found === undefined || found.subject !== subject) return undefined;
    this.bySeq.delete(seq);
    this.bySeq.set(seq, found);
    return found.message;
  }

  put(subject: string, message: StoredMessage): void {
    if (this.bySeq.has(message.seq)) return;
    this.bySeq.set(message.seq, { subject, message });
    this.byteLength += message.bytes + overheadBytes;
    for (const [seq, oldest] of this.bySeq) {
      if (this.byteLength <= this.maxBytes) return;
      this.bySeq.delete(seq);
      this.byteLength -= oldest.message.bytes + overheadBytes;
    }
  }

  clear(): void {
    this.bySeq.clear();
    this.byteLength = 0;
  }
}
