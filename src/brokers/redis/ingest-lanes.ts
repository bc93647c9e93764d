import { LiveError } from '../../protocol/live.error.js';
import type { InboundPublication } from './ingest-entry.js';
import type { IngestPublish } from './redis-ingestion.options.js';

/** Attempts with an error that says nothing of whether another one helps. */
const mostAttempts = 5;
/** Milliseconds before another attempt: the first pause, and the longest. */
const pauses = { firstMs: 50, mostMs: 1_000 } as const;

/** What became of an entry: taken by the broker, or never to be taken and why. */
export type Outcome = 'published' | 'suppressed' | { readonly reason: string };

export interface LanePorts {
  readonly publish: IngestPublish;
  /** Rejects where another reader has taken over. */
  keep(): Promise<void>;
  pause(ms: number): Promise<void>;
  /** Told of an attempt that failed and is made again. Throws to give up: the entry then stays where it is. */
  retrying(error: unknown, pausedMs: number): void;
}

/**
 * Publishes what is given as `[what, publication]`: one after the other in one topic, so that its order is kept, and topics
 * side by side. Calls `settled` for each; rejects when at least one was given up, after the other topics are done.
 */
export async function publishInLanes<T>(
  entries: readonly (readonly [T, InboundPublication])[],
  ports: LanePorts,
  settled: (what: T, outcome: Outcome) => void,
): Promise<void> {
  const lanes = new Map<string, (readonly [T, InboundPublication])[]>();
  for (const entry of entries) {
    const { topic } = entry[1];
    const lane = lanes.get(topic);
    if (lane === undefined) lanes.set(topic, [entry]);
    else lane.push(entry);
  }
  const done = await Promise.allSettled(
    [...lanes.values()].map(async (lane) => {
      for (const [what, publication] of lane) settled(what, await outcomeOf(publication, ports));
    }),
  );
  const failed = done.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** Tries until it is decided. The idempotency key makes attempts of which nobody knows what became harmless. */
async function outcomeOf({ topic, data, options }: InboundPublication, ports: LanePorts): Promise<Outcome> {
  let pausedMs = 0;
  for (let attempt = 1; ; attempt++) {
    await ports.keep();
    try {
      const { suppressed } = await ports.publish(topic, data, options);
      return suppressed === undefined ? 'published' : 'suppressed';
    } catch (error) {
      const reason = finalReason(error, attempt);
      if (reason !== undefined) return { reason };
      ports.retrying(error, pausedMs);
      const pauseMs = Math.min(pauses.mostMs, pauses.firstMs * 2 ** (attempt - 1));
      await ports.pause(pauseMs);
      pausedMs += pauseMs;
    }
  }
}

/** Why no further attempt helps; `undefined` where one may. */
function finalReason(error: unknown, attempt: number): string | undefined {
  if (error instanceof LiveError)
    return error.code === 'unavailable' ? undefined : `${error.code}: ${error.message}`;
  // Not its words, which may be anything: they are told where errors are told.
  return attempt < mostAttempts ? undefined : 'publishing failed';
}
