import type { GroupPlatform, TabChannel, TabMessage } from '../../tabs/group-platform.js';
import type { Cancel, Platform } from '../../client/platform.js';
import type { WebSocketConstructor } from '../../client/wire.js';
import type { Timeline } from './timeline.js';

interface Waiting {
  readonly tab: SimTab;
  readonly grant: () => void;
}

interface Lock {
  holder: { readonly tab: SimTab; readonly lost: (error: Error) => void } | undefined;
  readonly queue: Waiting[];
}

/** The locks and channels that the tabs of one browser share. */
export class SimBrowser {
  readonly tabs = new Set<SimTab>();
  private readonly locks = new Map<string, Lock>();

  constructor(
    readonly timeline: Timeline,
    readonly random: () => number,
  ) {}

  lock(
    tab: SimTab,
    name: string,
    held: () => Promise<void>,
    { steal, signal }: { steal?: boolean; signal?: AbortSignal },
  ): Promise<void> {
    const lock = this.locks.get(name) ?? { holder: undefined, queue: [] };
    this.locks.set(name, lock);
    return new Promise<void>((resolve, reject) => {
      const grant = (): void => {
        const holder = { tab, lost: reject };
        lock.holder = holder;
        void held().then(() => {
          resolve();
          if (lock.holder === holder) this.release(lock);
        });
      };
      if (steal === true) {
        lock.holder?.lost(new Error('stolen'));
        grant();
        return;
      }
      const waiting = { tab, grant };
      lock.queue.push(waiting);
      signal?.addEventListener('abort', () => {
        const place = lock.queue.indexOf(waiting);
        if (place >= 0) lock.queue.splice(place, 1);
        reject(new Error('aborted'));
      });
      if (lock.holder === undefined) this.release(lock);
    });
  }

  /** The tab is gone, and holds and waits for nothing any more. */
  gone(tab: SimTab): void {
    this.tabs.delete(tab);
    for (const lock of this.locks.values()) {
      lock.queue.splice(0, Infinity, ...lock.queue.filter((waiting) => waiting.tab !== tab));
      if (lock.holder?.tab === tab) this.release(lock);
    }
  }

  /** The next one gets the lock, in a task of its own. */
  private release(lock: Lock): void {
    lock.holder = undefined;
    this.timeline.in(this.random() * 3, () => {
      if (lock.holder === undefined) lock.queue.shift()?.grant();
    });
  }
}

/** One tab, which may be frozen, or crash. */
export class SimTab {
  private receive: ((message: TabMessage) => void) | undefined;
  private channelName = '';
  private frozen = false;
  private dead = false;
  private readonly late: (() => void)[] = [];
  private lastMs = 0;

  constructor(private readonly browser: SimBrowser) {
    browser.tabs.add(this);
  }

  /** Messages to and from it wait until it thaws. */
  freeze(ms: number): void {
    this.frozen = true;
    this.browser.timeline.in(ms, () => {
      this.frozen = false;
      for (const run of this.late.splice(0)) run();
    });
  }

  crash(): void {
    this.dead = true;
    this.browser.gone(this);
  }

  platform(own: Platform, webSocket: WebSocketConstructor): GroupPlatform {
    let names = 0;
    const { browser } = this;
    const id = String(browser.tabs.size) + String(browser.random());
    return {
      ...own,
      webSocket,
      name: () => `${id}.${String((names += 1))}`,
      visible: true,
      setTimer: (run, delayMs) => this.timer(own, run, delayMs),
      channel: (name, receive) => this.open(name, receive),
      lock: (name, held, options) => browser.lock(this, name, held, options),
      onRest: () => {},
    };
  }

  private timer(own: Platform, run: () => void, delayMs: number): Cancel {
    let canceled = false;
    const cancel = own.setTimer(() => this.whenAwake(() => canceled || run()), delayMs);
    return () => {
      canceled = true;
      cancel();
    };
  }

  private open(name: string, receive: (message: TabMessage) => void): TabChannel {
    this.channelName = name;
    this.receive = receive;
    return {
      postMessage: (message) => this.whenAwake(() => this.broadcast(message)),
      close: () => {
        if (this.receive === receive) this.receive = undefined;
      },
    };
  }

  private broadcast(message: TabMessage): void {
    const { timeline, random } = this.browser;
    // In the order of the sender.
    this.lastMs = Math.max(this.lastMs, timeline.nowMs + random() * 2);
    for (const tab of this.browser.tabs) {
      if (tab === this || tab.channelName !== this.channelName) continue;
      timeline.in(this.lastMs - timeline.nowMs, () => tab.whenAwake(() => tab.receive?.(message)));
    }
  }

  private whenAwake(run: () => void): void {
    if (this.dead) return;
    if (this.frozen) this.late.push(run);
    else run();
  }
}
