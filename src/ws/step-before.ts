import type { Server } from 'node:http';

/** Hands an event on to the server's listeners; returns whether there are any. */
export type PassOn = () => boolean;

/**
 * Has `step` decide about each event of a server before its listeners hear of it, also those that are added later. It is
 * the server's `emit` that is replaced. Returns what takes that back.
 */
export function stepBefore(
  server: Server,
  step: (event: string, args: readonly unknown[], passOn: PassOn) => boolean,
): () => void {
  const { emit } = server;
  let over = false;
  const stepped = (event: string, ...args: unknown[]): boolean => {
    const passOn: PassOn = () => Reflect.apply(emit, server, [event, ...args]) as boolean;
    return over ? passOn() : step(event, args, passOn);
  };
  server.emit = stepped;
  return () => {
    // Somebody else may have replaced it since; then it stays, and lets everything pass.
    over = true;
    if (server.emit === stepped) server.emit = emit;
  };
}
