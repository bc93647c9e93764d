/** Cancels what it was returned for. Calling it twice does nothing. */
export type Cancel = () => void;

/** Everything that the client needs to know of the world beside the socket. Tests replace it. */
export interface Platform {
  /**
   * Whether a client dials at its first use instead of when it is made. Code that renders pages on a server makes
   * clients at module scope and never uses them: they must neither dial nor keep the process alive.
   */
  readonly dialsOnUse?: boolean;
  /** Milliseconds that only grow; its zero means nothing. */
  now(): number;
  /** Milliseconds since 1970; may be wrong, and may jump. */
  wallMs(): number;
  /** Runs once after `delayMs`, which is never more than 2^31 − 1. */
  setTimer(run: () => void, delayMs: number): Cancel;
  /** From 0 to less than 1. */
  random(): number;
  /** The network came back. */
  onOnline(listener: () => void): Cancel;
  /** The page became visible, came out of the back/forward cache, or was thawed. */
  onVisible(listener: () => void): Cancel;
  /** The page goes into the back/forward cache. */
  onCached(listener: () => void): Cancel;
}

interface PageEvent {
  /** Of `pagehide`: whether the page is kept. */
  readonly persisted?: boolean;
}

interface EventSource {
  readonly visibilityState?: string;
  addEventListener?(type: string, listener: (event: PageEvent) => void): void;
  removeEventListener?(type: string, listener: (event: PageEvent) => void): void;
}

function listen(source: EventSource | undefined, type: string, listener: (event: PageEvent) => void): Cancel {
  source?.addEventListener?.(type, listener);
  return () => source?.removeEventListener?.(type, listener);
}

/** The browser, or a server's runtime, where `online` and the events of a page never happen. */
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
    onOnline: (listener) => listen(page, 'online', listener),
    onVisible(listener) {
      const cancels = [
        listen(page, 'pageshow', listener),
        listen(page.document, 'resume', listener),
        listen(page.document, 'visibilitychange', () => {
          if (page.document?.visibilityState === 'visible') listener();
        }),
      ];
      return () => {
        for (const cancel of cancels) cancel();
      };
    },
    onCached: (listener) =>
      listen(page, 'pagehide', ({ persisted }) => {
        if (persisted) listener();
      }),
  };
}
