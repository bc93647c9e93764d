import { slotCount } from './hash-slot.js';

type SlotNode = [host: string | null, port: number];

/**
 * Parses the answer to `CLUSTER SLOTS`: lists of first slot, last slot, master, replicas; a node is
 * host, port, …
 *
 * @param asked - address of the node that answered; its host replaces a missing one
 * @throws Error if a slot has no master
 */
export function clusterSlots(answer: unknown, asked: string): { masters: string[]; named: string[] } {
  const masters: string[] = [];
  const named = new Set<string>();
  for (const [first, last, ...nodes] of answer as [number, number, ...SlotNode[]][]) {
    const addresses = nodes.map(([host, port]) => joinAddress(host || splitAddress(asked)[0], port));
    for (const address of addresses) named.add(address);
    for (let slot = first; slot <= last; slot++) masters[slot] = addresses[0] ?? '';
  }
  for (let slot = 0; slot < slotCount; slot++)
    if (masters[slot] === undefined) throw new Error('The Redis cluster does not cover all slots.');
  return { masters, named: [...named] };
}

const redirection = /^(MOVED|ASK) (\d+) (.*):(\d+)$/;

/** Parses a `MOVED` or `ASK` error; `undefined` for any other error. */
export function redirectionOf(
  error: unknown,
  asked: string,
): { readonly asking: boolean; readonly slot: number; readonly address: string } | undefined {
  const [, word, slot, host, port] = redirection.exec(String((error as Error).message)) ?? [];
  if (word === undefined) return undefined;
  const address = joinAddress(host || splitAddress(asked)[0], Number(port));
  return { asking: word === 'ASK', slot: Number(slot), address };
}

export function joinAddress(host: string, port: number): string {
  return `${host}:${String(port)}`;
}

export function splitAddress(address: string): [string, number] {
  const colon = address.lastIndexOf(':');
  return [address.slice(0, colon), Number(address.slice(colon + 1))];
}
