import type { SnapshotPages } from '../frame/pages.js';
import type { SharedFrame } from '../frame/shared-frame.js';
import type { Observer } from '../ports/observer.js';
import type { SlowReaderQueue } from './backlog.js';

/**
 * Pages of a snapshot for one peer, each made when the peer has read what was sent before. The text
 * is that of the snapshot, shared with others, so that a peer costs one page. [L-6.10]
 */
export class Pager implements SlowReaderQueue {
  readonly queuedBytes = 0;
  readonly queuedMessages = 0;
  readonly endsWrite = true;
  private sent = 0;

  constructor(
    /** Absent when no page is left, so that the snapshot does not stay in memory. */
    private pages: SnapshotPages | undefined,
    private readonly observer: Observer,
  ) {}

  take(): SharedFrame | undefined {
    const frame = this.pages?.frame(this.sent);
    if (frame === undefined) return undefined;
    this.sent += 1;
    if (this.sent === this.pages?.count) this.stop();
    this.observer.outbound('page', 1);
    return frame;
  }

  /** The rest is not sent: the subscription has ended or starts over. */
  stop(): void {
    this.pages = undefined;
  }

  shed(): void {}

  shedBefore(): void {}
}
