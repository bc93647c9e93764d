import type { DrainSpread } from '../../core/connection/drain.js';
import type { Mishaps } from './mishaps.js';
import type { Random } from './random.js';
import type { BrokerCall } from './sim-network.js';
import type { Manner } from './sim-policy.js';

/**
 * Where a subscribe resumes: at the peer's own position, the topic's end, another topic's position,
 * or an unknown one.
 */
export interface Since {
  readonly from: 'own' | 'top' | 'foreign' | 'unknown';
  /** Publications before that position; negative for after. */
  readonly back: number;
}

/** A credential to issue: one bit per topic; without `expiresInMs` it never expires. */
export interface Grant {
  readonly rights: number;
  readonly expiresInMs?: number;
}

/** An action of one participant. */
export type PeerAction =
  | { readonly do: 'connect'; readonly grant: Grant }
  | { readonly do: 'subscribe'; readonly topic: string; readonly since?: Since }
  | { readonly do: 'unsubscribe'; readonly topic: string }
  | { readonly do: 'publish'; readonly topic: string; readonly key?: string }
  | { readonly do: 'auth'; readonly grant: Grant; readonly whose: 'own' | 'another' | 'nobody' }
  | { readonly do: 'odd'; readonly what: OddRequest }
  | { readonly do: 'leave' }
  | { readonly do: 'online' };

export type OddRequest = 'ping' | 'no-json' | 'bad-topic' | 'bad-since' | 'unknown-type' | 'no-data';

/** An event on one participant's connection. */
export type LinkAction =
  | { readonly do: 'cut'; readonly serverMs: number; readonly clientMs: number }
  | { readonly do: 'silence'; readonly way: 'up' | 'down' }
  | { readonly do: 'slow' }
  | { readonly do: 'read' }
  | { readonly do: 'draining'; readonly reconnectAfterMs: number; readonly windowMs: number }
  | { readonly do: 'latency'; readonly upMs: number; readonly downMs: number }
  | { readonly do: 'disconnect'; readonly code?: number };

/** An event on the server's side. */
export type ServerAction =
  | { readonly do: 'tell'; readonly topic: string; readonly key?: string }
  | { readonly do: 'flood'; readonly topic: string; readonly count: number; readonly bytes: number }
  | { readonly do: 'rights'; readonly topic: string; readonly manner: Manner }
  | { readonly do: 'snapshots'; readonly topic: string; readonly manner: Manner; readonly behind: number }
  | { readonly do: 'verify'; readonly manner: Manner }
  | {
      readonly do: 'broker';
      readonly thereMs: number;
      readonly backMs: number;
      readonly deliverMs: number;
      readonly fails?: BrokerCall;
    }
  | { readonly do: 'lose'; readonly topic: string }
  | { readonly do: 'back'; readonly lostMs: number; readonly awayMs: number }
  | ({ readonly do: 'mishap'; readonly topic: string } & Mishaps)
  | { readonly do: 'suspect'; readonly topic?: string }
  | { readonly do: 'away'; readonly ms: number }
  | { readonly do: 'elsewhere'; readonly topic: string; readonly key?: string }
  | { readonly do: 'busy'; readonly ms: number }
  | { readonly do: 'stall'; readonly ms: number }
  | ({ readonly do: 'drain'; readonly timeoutMs: number } & DrainSpread);

/**
 * One step of a schedule, with the delay after the previous step. A step is self-contained, so it
 * means the same if others are left out.
 */
export type Step = { readonly afterMs: number } & (
  (PeerAction & { readonly peer: number }) | (LinkAction & { readonly peer: number }) | ServerAction
);

/** A step without its delay. */
export type Action = Step extends infer S ? (S extends Step ? Omit<S, 'afterMs'> : never) : never;

/** Number of participants that speak the bare protocol, and that use `LiveClient`. */
export const peerCounts = { wire: 3, client: 2 } as const;

/** A random participant. */
export function anybody(random: Random): number {
  return random.below(peerCounts.wire + peerCounts.client);
}

/** Formats a step on one line. */
export function stepText(step: Step): string {
  const { afterMs, do: what, ...rest } = step;
  const details = Object.entries(rest).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return [`+${String(afterMs)} ms`.padStart(9), what, ...details].join(' ');
}
