import type { LiveObserver } from './live-observer.js';

type Member = ((...args: readonly unknown[]) => unknown) | undefined;

// An object instead of a list, so that the compiler reports a missing name.
const members: Readonly<Record<keyof LiveObserver, true>> = {
  opened: true,
  closed: true,
  inbound: true,
  outbound: true,
  tooFast: true,
  authorized: true,
  readingPaused: true,
  refused: true,
  failed: true,
  healed: true,
  suspected: true,
  restarted: true,
  availability: true,
  versionRefused: true,
  publishing: true,
  handshake: true,
  credentialRefused: true,
  droppedSilent: true,
};

/** Wraps an observer so that its methods never throw or reject. */
export function guarded(
  observer: Partial<LiveObserver>,
  threw: (member: string, error: unknown) => void,
): Partial<LiveObserver> {
  const safe: Record<string, Member> = {};
  for (const name of Object.keys(members) as (keyof LiveObserver)[]) {
    if (typeof observer[name] !== 'function') continue;
    const failed = (error: unknown): void => threw(name, error);
    // No method takes more than three arguments, and rest parameters would cost more than the call.
    safe[name] = (one, two, three) => {
      try {
        const result = (observer[name] as NonNullable<Member>).call(observer, one, two, three);
        if (result instanceof Promise) result.catch(failed);
      } catch (error) {
        failed(error);
      }
    };
  }
  return safe as Partial<LiveObserver>;
}
