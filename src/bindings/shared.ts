import { Listeners } from '../client/listeners.js';
import type { LiveView } from '../client/view.js';
import type { LiveResult, Store } from './store.js';

/** How long a view outlives its last component, so that one that mounts again finds it. */
export const leaveAfterMs = 1_000;

/** A view, and how to copy its state. */
export interface Source<Data> {
  readonly view: LiveView<unknown>;
  read(): Data;
}

/** A store that a component can wait for. */
export interface SharedStore<Data> extends Store<LiveResult<Data>> {
  /** Opens it, and resolves once it is ready or has failed. Absent without a topic. */
  readonly settled?: () => Promise<void>;
}

/** One view of a client, for all components that show it. */
class Shared<Data> {
  readonly #listeners = new Listeners<{ change: undefined; error: unknown }>();
  #source: Source<Data> | undefined;
  #result: LiveResult<Data>;
  #isCurrent = true;
  #ready = false;
  #error: Error | undefined;
  #users = 0;
  #leaving: ReturnType<typeof setTimeout> | undefined;
  #settled: Promise<void> | undefined;

  constructor(
    initial: LiveResult<Data>,
    open: () => Source<Data>,
    private readonly forget: () => void,
  ) {
    this.#result = initial;
    try {
      const { view } = (this.#source = open());
      view.onChange(() => {
        this.#isCurrent = false;
        this.#listeners.emit('change', undefined);
      });
      // Before anything else that waits for it: a hidden page has no frame that tells the change.
      view.ready.then(
        () => this.#settle(undefined),
        (error: Error) => this.#settle(error),
      );
    } catch (error) {
      this.#result = { ...initial, error: error as Error };
    }
  }

  get result(): LiveResult<Data> {
    if (!this.#isCurrent && this.#source !== undefined) {
      const { view, read } = this.#source;
      const { stale, error = this.#error } = view;
      this.#isCurrent = true;
      this.#result = { data: read(), ready: this.#ready, stale, error };
    }
    return this.#result;
  }

  /** Whether it has failed, and no component shows it. */
  get isSpent(): boolean {
    return this.#users === 0 && this.result.error !== undefined;
  }

  subscribe(listener: () => void): () => void {
    const cancel = this.#listeners.on('change', listener);
    const release = this.#retain();
    return () => {
      cancel();
      release();
    };
  }

  settled(): Promise<void> {
    if (this.#settled === undefined) {
      const release = this.#retain();
      this.#settled = Promise.resolve(this.#source?.view.ready).then(release, release);
    }
    return this.#settled;
  }

  #settle(error: Error | undefined): void {
    this.#isCurrent = false;
    this.#error = error;
    this.#ready = error === undefined;
  }

  #retain(): () => void {
    clearTimeout(this.#leaving);
    this.#users += 1;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#users -= 1;
      if (this.#users > 0) return;
      this.#leaving = setTimeout(() => {
        this.forget();
        this.#source?.view.close();
      }, leaveAfterMs);
    };
  }
}

const byClient = new WeakMap<object, Map<string, Shared<unknown>>>();

/** The store under a key of a client. Nothing is opened before its first use. */
export function shared<Data>(
  client: object,
  key: string,
  initial: LiveResult<Data>,
  open: () => Source<Data>,
): SharedStore<Data> {
  const all = (byClient.get(client) ?? new Map()) as Map<string, Shared<Data>>;
  byClient.set(client, all);
  const opened = (): Shared<Data> => {
    let it = all.get(key);
    if (it === undefined || it.isSpent) {
      const made: Shared<Data> = new Shared(initial, open, () => {
        if (all.get(key) === made) all.delete(key);
      });
      all.set(key, (it = made));
    }
    return it;
  };
  return {
    initial,
    get: () => all.get(key)?.result ?? initial,
    subscribe: (changed) => opened().subscribe(changed),
    settled: () => opened().settled(),
  };
}
