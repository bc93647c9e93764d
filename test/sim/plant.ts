import type { Rule } from '../../src/testing/sim/faults.js';

/** A possible mistake in the core, planted from outside for the length of one test. */
export interface PlantedBug {
  readonly name: string;
  /** The rules that may reveal it. */
  readonly shows: readonly Rule[];
  /**
   * Rules that are not checked, so that peers must notice what the server's own maps would reveal.
   */
  readonly blindTo?: readonly Rule[];
  /** Plants the mistake and returns a function that removes it. */
  readonly plant: () => () => void;
}

/**
 * Replaces a method, also a private one, of an object seen as `This`.
 * Throws if the method no longer exists, since a mistake that is not planted cannot be found.
 */
export function replace<This, Args extends readonly unknown[], Result>(
  owner: { readonly prototype: object },
  name: string,
  make: (original: (this: This, ...args: Args) => Result) => (this: This, ...args: Args) => Result,
): () => void {
  const { prototype } = owner;
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
  if (typeof descriptor?.value !== 'function') throw new Error(`${owner.constructor.name} has no ${name}`);
  const original = descriptor.value as (this: This, ...args: Args) => Result;
  Object.defineProperty(prototype, name, { ...descriptor, value: make(original) });
  return () => {
    Object.defineProperty(prototype, name, descriptor);
  };
}

/** Replaces a method by one that does nothing and returns `result`. */
export function disable(owner: { readonly prototype: object }, name: string, result?: unknown): () => void {
  return replace<object, [], unknown>(owner, name, () => () => result);
}
