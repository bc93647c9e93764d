import type { Cancel } from './platform.js';

type Listener = (value: never) => void;

/** Listeners by event. A listener that throws affects neither the others nor the emitter. */
export class Listeners<Events extends { readonly error: unknown }> {
  readonly #byEvent = new Map<keyof Events, Set<Listener>>();

  on<E extends keyof Events>(event: E, listener: (value: Events[E]) => void): Cancel {
    // Wrapped so that the same function can be registered twice and removed separately.
    const own = (value: Events[E]): void => listener(value);
    const all = this.#byEvent.get(event) ?? new Set();
    this.#byEvent.set(event, all.add(own));
    return () => void all.delete(own);
  }

  emit<E extends keyof Events>(event: E, value: Events[E]): void {
    const all = this.#byEvent.get(event) as Set<(value: Events[E]) => void> | undefined;
    for (const listener of all ?? []) {
      if (event === 'error') rethrowLater(() => listener(value));
      else this.run(() => listener(value));
    }
  }

  /**
   * Runs application code. Its error becomes an `error` event, or uncaught without an `error`
   * listener.
   */
  run(call: () => void): void {
    try {
      call();
    } catch (error) {
      if (this.#byEvent.get('error')?.size) this.emit('error', error as Events['error']);
      else rethrowLater(() => rethrow(error));
    }
  }
}

function rethrow(error: unknown): never {
  throw error;
}

function rethrowLater(call: () => void): void {
  try {
    call();
  } catch (error) {
    queueMicrotask(() => rethrow(error));
  }
}
