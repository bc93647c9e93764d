/**
 * Why a reachable engine refused a publication:
 * - `too-large`: it never accepts this size, so a retry is useless
 * - `refused`: it currently accepts no writes: out of memory, out of space, no replicas, or no
 *   permission
 */
export type RefusalKind = 'too-large' | 'refused';

/**
 * Rejection of `Broker.publish` if the engine answered and refused. Any other error means that the
 * engine did not answer or that the outcome is unknown. The message reaches clients and the health
 * check, so it names no topic and no address. The engine's own error is the `cause`.
 */
export class PublishRefusal extends Error {
  /** Always `PublishRefusal`. */
  override readonly name = 'PublishRefusal';

  constructor(
    /** Why the engine refused. */
    readonly kind: RefusalKind,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Error for a publication beyond the engine's size limit. */
export function tooLarge(maxBytes: number, bytes: number, options?: ErrorOptions): PublishRefusal {
  const words = `A publication may have at most ${String(maxBytes)} bytes; this one has ${String(bytes)}`;
  return new PublishRefusal('too-large', words, options);
}
