import { onlyKnown } from '../known-options.js';

/** Limits of what a `MemoryBroker` keeps; each a whole number from 1. */
export interface MemoryBrokerOptions {
  /**
   * Topics whose position is remembered. Beyond it, the broker forgets the topic without
   * subscribers that was published to least recently; the topic starts a new epoch when it is
   * published to again.
   *
   * @default 100000
   */
  readonly maxStreams?: number;
  /**
   * Bytes of JSON text that all topics together keep. Beyond it, the topics published to least
   * recently lose theirs: those without subscribers are forgotten, those with subscribers lose
   * their history.
   *
   * @default 67108864
   */
  readonly maxBytes?: number;
  /**
   * Idempotency keys remembered; beyond it the oldest is forgotten before its five minutes are
   * over.
   *
   * @default 100000
   */
  readonly maxIdempotencyKeys?: number;
  /** Milliseconds between sweeps for expired history. @default 30000 */
  readonly sweepMs?: number;
}

const defaults: Required<MemoryBrokerOptions> = {
  maxStreams: 100_000,
  maxBytes: 67_108_864,
  maxIdempotencyKeys: 100_000,
  sweepMs: 30_000,
};

/** Fills in the defaults. Throws an error that names an option whose value is invalid. */
export function resolveMemoryOptions(given: MemoryBrokerOptions): Required<MemoryBrokerOptions> {
  onlyKnown('MemoryBroker', given, defaults);
  const options = { ...defaults, ...given };
  for (const [name, value] of Object.entries(options) as [string, unknown][]) {
    if (!Number.isSafeInteger(value) || (value as number) < 1)
      throw new Error(`MemoryBroker: "${name}" must be a whole number from 1.`);
  }
  return options;
}
