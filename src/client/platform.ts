/** Cancels what it was returned for. Calling it twice does nothing. */
export type Cancel = () => void;

/** Everything that the client needs to know of the world beside the socket. Tests replace it. */
export interface Platform {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs once after `delayMs`, which is never more than 2^31 − 1. */
  setTimer(run: () => void, delayMs: number): Cancel;
  /** From 0 to less than 1. */
  random(): number;
  /** The network came back. */
  onOnline(listener: () => void): Cancel;
  /** The page became visible. */
  onVisible(listener: () => void): Cancel;
}

interface EventSource {
  readonly visibilityState?: string;
  addEventListener?(type: string, listener: () => void): void;
  removeEventListener?(type: string, listener: () => void): void;
}

function listen(source: EventSource | undefined, type: string, listener: () => void): Cancel {
  source?.addEventListener?.(type, listener);
  return () => source?.removeEventListener?.(type, listener);
}

/** The browser, or Node, where `online` and visibility never happen. */
export function defaultPlatform(): Platform {
  const page = globalThis as unknown as EventSource & { readonly document?: EventSource };
  return {
    now: () => Date.now(),
    random: () => Math.random(),
    setTimer(run, delayMs) {
      const timer = setTimeout(run, delayMs);
      return () => clearTimeout(timer);
    },
    onOnline: (listener) => listen(page, 'online', listener),
    onVisible: (listener) =>
      listen(page.document, 'visibilitychange', () => {
        if (page.document?.visibilityState === 'visible') listener();
      }),
  };
}
