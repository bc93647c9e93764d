import type { LiveClient } from './live-client.js';
import { Listeners } from './listeners.js';
import { LiveClientError } from './live-client.error.js';
import type { EndMessage, TopicMessage } from './topic-messages.js';

// Collections and states are functions that take a client, not methods of it, so that a bundler
// leaves them out of a page that does not use them.

/** Options of every state that the client keeps. */
export interface ViewOptions {
  /**
   * Maximum number of publications per second, as for `subscribe`.
   * @default no limit
   */
  readonly maxRate?: number | undefined;
  /**
   * Calls `run` once, later. Changes until then are reported together.
   * @default `requestAnimationFrame` in a page, otherwise a timer of 16 ms
   */
  readonly schedule?: ((run: () => void) => void) | undefined;
}

/** State that the client keeps of a topic. */
export interface LiveView<Change> {
  /** The topic that it follows. */
  readonly topic: string;
  /**
   * Resolves when the state is whole for the first time. Rejects if the topic has none, if the
   * server ends the subscription, or if this or the client is closed before.
   */
  readonly ready: Promise<void>;
  /**
   * Whether the state may be outdated: before it is `ready`, while the connection is down, after
   * a loss until the server has sent it again, and after its end.
   */
  readonly stale: boolean;
  /** Why the server ended the subscription, if it did. */
  readonly error: Error | undefined;
  /**
   * Calls `listener` after changes, also of `stale` and `error`, at most once for each run of the
   * scheduler. Stops when the returned function is called.
   */
  onChange(listener: (change: Change) => void): () => void;
  /** Unsubscribes. The last state stays, stale. Calling it again does nothing. */
  close(): void;
}

/** Runs once before the next frame of the page; without a page after 16 ms. */
export function nextFrame(run: () => void): void {
  const { requestAnimationFrame: frame } = globalThis as { requestAnimationFrame?: typeof nextFrame };
  if (frame) frame(run);
  else setTimeout(run, 16);
}

/** Keeps `ready`, `stale` and the listeners of a state. Each kind of state extends it. */
export abstract class View<Change> implements LiveView<Change> {
  readonly ready: Promise<void>;
  error: Error | undefined;
  readonly #listeners = new Listeners<{ change: Change; error: unknown }>();
  readonly #schedule: (run: () => void) => void;
  #resolve!: () => void;
  #reject!: (error: Error) => void;
  #linked = false;
  #whole = false;
  #due = false;
  #over = false;
  #unsubscribe = (): void => {};

  constructor(
    readonly topic: string,
    { schedule = nextFrame }: ViewOptions,
  ) {
    this.#schedule = schedule;
    this.ready = new Promise<void>((...both) => ([this.#resolve, this.#reject] = both));
    // Without someone who waits for it, it must not become an unhandled rejection.
    this.ready.catch(() => {});
  }

  get stale(): boolean {
    return this.#over || !this.#linked || !this.#whole;
  }

  onChange(listener: (change: Change) => void): () => void {
    return this.#listeners.on('change', listener);
  }

  close(): void {
    this.#unsubscribe();
    this.end(this.error);
  }

  /** Takes a message. Returns whether the state is whole now, or nothing if that is as before. */
  protected abstract take(message: TopicMessage): boolean | undefined;

  /** What to tell the listeners: everything since the last call. */
  protected abstract change(): Change;

  /** Subscribes. The first message may come at once. */
  protected open(client: Pick<LiveClient, 'subscribe'>, { maxRate }: ViewOptions): void {
    const { unsubscribe } = client.subscribe(this.topic, (message) => this.#listen(message), {
      maxRate,
      onLinked: (linked) => {
        this.#linked = linked;
        this.tell();
      },
    });
    this.#unsubscribe = unsubscribe;
  }

  #listen(message: TopicMessage | EndMessage): void {
    if (message.type === 'end') this.end(message.error);
    else {
      this.#whole = this.take(message) ?? this.#whole;
      if (this.#whole) this.#resolve();
      else this.#reject(new Error(`${this.topic} has no snapshot, so its state is unknown`));
    }
    this.tell();
  }

  /** Nothing more arrives. */
  protected end(error?: Error): void {
    this.#over = true;
    this.error = error;
    this.#reject(error ?? new LiveClientError('closed', 'Closed'));
  }

  /** Something has changed. */
  protected tell(): void {
    if (this.#due) return;
    this.#due = true;
    this.#schedule(() => {
      this.#due = false;
      this.#listeners.emit('change', this.change());
    });
  }
}
