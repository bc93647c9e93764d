/**
 * Why an engine that answers did not take a publication:
 * - `too-large`: it never takes one of this size, whoever tries again
 * - `refused`: it takes no writes now: no memory, no room, no replicas, no right
 */
export type RefusalKind = 'too-large' | 'refused';

/**
 * What `Broker.publish` rejects with where the engine answered, and refused. Any other error means that the engine did not
 * answer, or that nobody knows. The message reaches clients and the health check, so it names no topic and no address;
 * what the engine itself said is the `cause`.
 */
export class PublishRefusal extends Error {
  override readonly name = 'PublishRefusal';

  constructor(
    readonly kind: RefusalKind,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** One publication is larger than the engine takes. */
export function tooLarge(maxBytes: number, bytes: number, options?: ErrorOptions): PublishRefusal {
  const words = `A publication may have at most ${String(maxBytes)} bytes; this one has ${String(bytes)}`;
  return new PublishRefusal('too-large', words, options);
}
