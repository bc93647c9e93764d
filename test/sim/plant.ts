import type { Rule } from '../../src/testing/sim/faults.js';

/** A mistake that somebody could make in the core, made from outside for the length of one test. */
export interface PlantedBug {
  readonly name: string;
  /** The rules that it may show by. */
  readonly shows: readonly Rule[];
  /** Rules that are not looked at: so that peers must notice what the server's own maps would tell. */
  readonly blindTo?: readonly Rule[];
  /** Makes the mistake; what it returns takes it back. */
  readonly plant: () => () => void;
}

/**
 * Puts another function in the place of a method, also of a private one: `This` says what that one works on.
 * Fails when there is no such method any more, since a mistake that is not made cannot be found.
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

/** Takes the method's work away. */
export function disable(owner: { readonly prototype: object }, name: string, result?: unknown): () => void {
  return replace<object, [], unknown>(owner, name, () => () => result);
}
