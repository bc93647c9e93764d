import { SharedFrame } from '../frame/shared-frame.js';
import { lostText } from '../frame/message-text.js';

/** The `lost` messages of one loss. Subscriptions with the same range share a frame. [L-5.8] */
export class LostFrames {
  /** Number of frames handed out. */
  count = 0;
  private readonly byStart = new Map<number, SharedFrame>();

  constructor(
    private readonly topic: string,
    private readonly to: number,
  ) {}

  /** Returns `undefined` if nothing is lost from this offset on. */
  from(offset: number): SharedFrame | undefined {
    if (offset > this.to) return undefined;
    this.count += 1;
    let frame = this.byStart.get(offset);
    if (frame === undefined) {
      frame = new SharedFrame(lostText(this.topic, offset, this.to));
      this.byStart.set(offset, frame);
    }
    return frame;
  }
}
