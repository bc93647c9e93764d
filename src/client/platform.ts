/** Cancels the registration it was returned for. Calling it again does nothing. */
export type Cancel = () => void;

/** Everything that the client needs from its environment besides the socket. Tests replace it. */
export interface Platform {
  /**
   * Whether a client connects at its first use instead of on construction. Code that renders pages
   * on a server creates clients at module scope without using them; they must neither connect nor
   * keep the process alive.
   */
  readonly dialsOnUse?: boolean;
  /** Monotonic milliseconds with an arbitrary zero. */
  now(): number;
  /** Milliseconds since 1970. May be wrong and may jump. */
  wallMs(): number;
  /** Runs once after `delayMs`, which is at most 2^31 − 1. */
  setTimer(run: () => void, delayMs: number): Cancel;
  /** Returns a number from 0 to less than 1. */
  random(): number;
  /** Listens to the page and the network. */
  listen(events: PlatformEvents): Cancel;
}

/** Called for what happens to the page and the network. */
export interface PlatformEvents {
  /** The network came back, or the page: visible, out of the back/forward cache, or thawed. */
  back(): void;
  /** The window of the page got the focus, as when its user returns to it from another one. */
  focus(): void;
  /** The page goes into the back/forward cache. */
  cached(): void;
}

interface PageEvent {
  /** Set on `pagehide` if the page enters the cache. */
  readonly persisted?: boolean;
}

interface EventSource {
  readonly visibilityState?: string;
  addEventListener?(type: string, listener: (event: PageEvent) => void): void;
  removeEventListener?(type: string, listener: (event: PageEvent) => void): void;
}

/** The platform of a browser, or of a server runtime, where page and network events never fire. */
export function defaultPlatform(): Platform {
  const page = globalThis as unknown as EventSource & { readonly document?: EventSource };
  return {
    // Pages have a document, and workers of pages can import scripts.
    dialsOnUse: page.document === undefined && !('importScripts' in globalThis),
    now: () => performance.now(),
    wallMs: () => Date.now(),
    random: () => Math.random(),
    setTimer(run, delayMs) {
      const timer = setTimeout(run, delayMs);
      return () => clearTimeout(timer);
    },
    listen({ back, focus, cached }) {
      const { document } = page;
      const all: readonly (readonly [EventSource | undefined, string, (event: PageEvent) => void])[] = [
        [page, 'online', back],
        [page, 'pageshow', back],
        [page, 'focus', focus],
        [page, 'pagehide', ({ persisted }) => persisted && cached()],
        [document, 'resume', back],
        [document, 'visibilitychange', () => document?.visibilityState === 'visible' && back()],
      ];
      for (const [source, type, listener] of all) source?.addEventListener?.(type, listener);
      return () => {
        for (const [source, type, listener] of all) source?.removeEventListener?.(type, listener);
      };
    },
  };
}
