// hot path
import { Buffer } from 'node:buffer';
import type { SharedFrame } from '../frame/shared-frame.js';

/**
 * A run of frames that wait to be sent, as a node of a tree: connections that got the same frames in the same order
 * stand on the same node, so their bytes are joined once for all of them. A tree lives for one flush.
 */
export class Sequence {
  /** Bytes of all frames up to here. */
  readonly byteLength: number;
  private joined: Buffer | undefined;
  // The first branch has its own field: mostly there is no second one.
  private first: Sequence | undefined;
  private others: Map<SharedFrame, Sequence> | undefined;

  private constructor(
    private readonly before: Sequence | undefined,
    private readonly frame: SharedFrame | undefined,
  ) {
    this.byteLength =
      before === undefined || frame === undefined ? 0 : before.byteLength + frame.bytes.byteLength;
  }

  /** The root of a new tree. */
  static empty(): Sequence {
    return new Sequence(undefined, undefined);
  }

  /** This sequence followed by one more frame. */
  followedBy(frame: SharedFrame): Sequence {
    const { first } = this;
    if (first === undefined) return (this.first = new Sequence(this, frame));
    if (first.frame === frame) return first;
    this.others ??= new Map();
    let next = this.others.get(frame);
    if (next === undefined) {
      next = new Sequence(this, frame);
      this.others.set(frame, next);
    }
    return next;
  }

  /** All bytes, in order, as one buffer; made at the first call. */
  bytes(): Buffer {
    if (this.joined !== undefined) return this.joined;
    const single = this.before?.before === undefined ? this.frame : undefined;
    return (this.joined = single === undefined ? this.join() : single.bytes);
  }

  private join(): Buffer {
    const bytes = Buffer.allocUnsafe(this.byteLength);
    // oxlint-disable-next-line typescript/no-this-alias -- a walk along the list starts here
    let node: Sequence = this;
    while (node.before !== undefined && node.frame !== undefined) {
      bytes.set(node.frame.bytes, node.before.byteLength);
      node = node.before;
    }
    return bytes;
  }
}
