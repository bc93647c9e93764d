import { lostText } from '../frame/message-text.js';
import { SharedFrame } from '../frame/shared-frame.js';

/** The `lost` messages of one loss: the same frame for all who lost the same. [L-5.8] */
export class LostFrames {
  /** How many were asked for and are there. */
  count = 0;
  private readonly byStart = new Map<number, SharedFrame>();

  constructor(
    private readonly topic: string,
    private readonly to: number,
  ) {}

  /** `undefined` when nothing is lost from there. */
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
