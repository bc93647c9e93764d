import type { GroupPlatform } from './group-platform.js';

export interface ElectionEvents {
  elected(): void;
  /** The role was taken away, as from a tab that stood still. */
  deposed(): void;
}

/** One tab's part in the choice of a leader: whoever holds the group's lock leads. */
export class Election {
  /** Ends the present leadership or candidacy. */
  #term = new AbortController();

  constructor(
    private readonly group: string,
    private readonly platform: GroupPlatform,
    private readonly events: ElectionEvents,
  ) {}

  /** Aborted when the present leadership ends. */
  get term(): AbortSignal {
    return this.#term.signal;
  }

  /** Leads once nobody else does, or at once if it takes the role from the present leader. */
  run(steal = false): void {
    const { signal } = this.#term;
    const elected = (): void => {
      if (!signal.aborted) this.events.elected();
    };
    hold(this.platform, this.group, signal, elected, steal).catch(() => {
      if (signal.aborted) return;
      this.end();
      this.events.deposed();
      this.run();
    });
  }

  /** Takes the role from a leader that is silent. */
  takeOver(): void {
    this.end();
    this.run(true);
  }

  /** Resigns, or is no longer a candidate. */
  end(): void {
    this.#term.abort();
    this.#term = new AbortController();
  }
}

/**
 * Holds a lock until `signal` is aborted, or `held` calls `release`. Rejects if the lock was
 * stolen.
 */
export function hold(
  platform: GroupPlatform,
  name: string,
  signal: AbortSignal,
  held: (release: () => void) => void,
  steal = false,
): Promise<void> {
  const holding = (): Promise<void> =>
    new Promise((release) => {
      signal.addEventListener('abort', () => release());
      held(release);
      if (signal.aborted) release();
    });
  // A lock cannot be stolen and be waited for at the same time.
  return platform.lock(name, holding, steal ? { steal } : { signal });
}
