import { pageText } from '../frame/message-text.js';
import { SharedFrame } from '../frame/shared-frame.js';
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
    private readonly topic: string,
    private pages: readonly string[],
    private readonly onPage: () => void,
  ) {}

  take(): SharedFrame | undefined {
    const page = this.pages[this.sent];
    if (page === undefined) return undefined;
    this.sent += 1;
    this.onPage();
    return new SharedFrame(pageText(this.topic, page, this.sent === this.pages.length));
  }

  /** The rest is not sent: the subscription has ended or starts over. */
  stop(): void {
    this.pages = [];
  }

  shed(): void {}

  shedBefore(): void {}
}
