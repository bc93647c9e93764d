import type { Server } from 'node:http';

/** Passes an event on to the server's listeners; returns whether there are any. */
export type PassOn = () => boolean;

/**
 * Runs `step` before the listeners of every event of a server, including listeners added later, by
 * replacing the server's `emit`. Returns a function that restores it.
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
    // Another library may have replaced `emit` since. Then ours stays in place and passes
    // everything on.
    over = true;
    if (server.emit === stepped) server.emit = emit;
  };
}
