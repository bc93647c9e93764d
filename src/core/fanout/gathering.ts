// hot path
import { SharedFrame } from '../frame/shared-frame.js';
import type { Gathered, Flusher } from '../outbound/flusher.js';
import { earlyWriteBytes } from '../outbound/outbox.js';
import type { SharedEvent } from '../frame/shared-event.js';
import type { Subscribers, Subscription } from './subscription.js';
import type { Cancel, Clock } from '../ports/clock.js';

/** Gets the publications for all subscribers that have a pace. `joined` has the bytes of all. */
interface Paced {
  offer(events: readonly SharedEvent[], joined: SharedFrame): void;
}

/** Publications of a topic in the current window, for all its subscribers. [L-4.9] */
export class Gathering implements Gathered {
  /** Alone in most windows. An array for one has room for 17. */
  private first: SharedEvent | undefined;
  /** All of the window, if there are several. */
  private several: SharedEvent[] | undefined;
  /** Bytes gathered. */
  byteLength = 0;
  /** The subscribers that have a pace. */
  paced: Paced | undefined;

  constructor(
    private readonly subscribers: Subscribers,
    private readonly windows: Windows,
    /** Length of a window in milliseconds. 0 is the rest of the tick. */
    private readonly flushMs: number,
  ) {}

  add(event: SharedEvent): void {
    if (this.first === undefined) {
      this.first = event;
      this.windows.add(this.flushMs, this);
    } else if (this.several === undefined) this.several = [this.first, event];
    else this.several.push(event);
    this.byteLength += event.frame.bytes.byteLength;
    if (this.byteLength > earlyWriteBytes) this.end();
  }

  /** Sends the same bytes to every subscription that has none of these publications yet. */
  end(): void {
    const { first, several, subscribers } = this;
    if (first === undefined) return;
    this.first = this.several = undefined;
    this.byteLength = 0;
    const joined = several === undefined ? first.frame : SharedFrame.join(several.map(({ frame }) => frame));
    if (subscribers.allTakeFrom(first.offset)) subscribers.push(joined);
    else this.sendApart(several ?? [first], first.offset, joined);
  }

  private sendApart(events: readonly SharedEvent[], from: number, joined: SharedFrame): void {
    const { all } = this.subscribers;
    // Backwards, as in `Subscribers.push`.
    for (let i = all.length - 1; i >= 0; i--) {
      const subscription = all[i];
      if (subscription === undefined) continue;
      if (subscription.takesAll && subscription.after < from) subscription.outbox.push(joined);
      else if (subscription.pace === undefined) sendEach(subscription, events);
    }
    this.paced?.offer(events, joined);
  }
}

function sendEach(subscription: Subscription, events: readonly SharedEvent[]): void {
  for (const event of events) {
    // An earlier event may have ended the subscription.
    if (subscription.index < 0) return;
    if (event.offset > subscription.after)
      subscription.outbox.push(event.frame.within(subscription.maxBytes));
  }
}

interface Window {
  readonly all: Gathered[];
  readonly cancel: Cancel;
}

/**
 * Windows in which topics gather publications. All windows of one length end together, so a
 * connection that reads many topics is written to once. [L-4.9]
 */
export class Windows {
  private readonly open = new Map<number, Window>();

  constructor(
    private readonly clock: Clock,
    private readonly flusher: Flusher,
  ) {}

  /**
   * Ends `gathered` with the open window of this length, or with a new one. A window of 0 ms is the
   * rest of the tick.
   */
  add(ms: number, gathered: Gathered): void {
    if (ms === 0) {
      this.flusher.beforeWriting(gathered);
      return;
    }
    const window = this.open.get(ms);
    if (window !== undefined) window.all.push(gathered);
    else this.open.set(ms, { all: [gathered], cancel: this.clock.after(ms, () => this.end(ms)) });
  }

  /** Ends all windows now, except that of the tick, which ends soon. */
  endAll(): void {
    for (const [ms, { cancel }] of this.open) {
      cancel();
      this.end(ms);
    }
  }

  private end(ms: number): void {
    const { all } = this.open.get(ms) ?? { all: [] };
    this.open.delete(ms);
    for (const gathered of all) gathered.end();
  }
}
