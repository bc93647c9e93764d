import type { Connection } from '../../core/connection/connection.js';
import { isLater } from '../../core/ports/contract.js';
import type { LiveConnection } from '../../core/ports/connection.js';
import { CloseCode } from '../../protocol/codes.js';

type Hook = (connection: Connection, ...rest: unknown[]) => unknown;

const openings = new WeakMap<LiveConnection, Promise<unknown>>();

/** The unfinished `handleConnection` of this connection; its messages wait for it. */
export function openingOf(connection: LiveConnection): Promise<unknown> | undefined {
  return openings.get(connection);
}

const reasons = new WeakMap<LiveConnection, string>();

/** Nest 11 calls `handleDisconnect` without a reason, so that it is kept here. */
export function keepReason(connection: LiveConnection, reason: string): void {
  reasons.set(connection, reason);
}

/**
 * Nest calls `handleConnection` and `handleDisconnect` unprotected: a throw would end the process,
 * and no one awaits their promises. This wraps them. A failure closes the connection with 1011, and
 * a disconnect is reported after the connect has finished. [S8]
 */
export function guardHooks(prototype: object): void {
  replace(prototype, 'handleConnection', (connection, run) => {
    const done = run();
    if (done === undefined) return;
    const all = Promise.all([openings.get(connection), done]).then(() => {
      if (openings.get(connection) === all) openings.delete(connection);
    });
    openings.set(connection, all);
  });
  replace(prototype, 'handleDisconnect', (connection, run) => {
    const opening = openings.get(connection);
    if (opening === undefined) void run();
    else void opening.then(run);
  });
}

/** Runs the hook without ever throwing or rejecting; returns a promise if the hook did. */
type Run = () => Promise<void> | undefined;

function replace(prototype: object, name: string, when: (connection: Connection, run: Run) => void): void {
  const hook = Reflect.get(prototype, name) as Hook | undefined;
  if (typeof hook !== 'function') return;
  Reflect.set(prototype, name, function (this: object, connection: Connection, ...rest: unknown[]): void {
    const failed = (error: unknown): void => {
      connection.failed(`calling ${name} of ${this.constructor.name}`, error);
      connection.close(CloseCode.internalError, 'the server failed');
    };
    when(connection, () => {
      try {
        const given = rest.length === 0 && reasons.has(connection) ? [reasons.get(connection)] : rest;
        const result = hook.call(this, connection, ...given);
        return isLater(result) ? Promise.resolve(result).then(() => {}, failed) : undefined;
      } catch (error) {
        failed(error);
        return undefined;
      }
    });
  });
}
