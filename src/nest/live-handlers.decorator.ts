import { applyDecorators, Logger, UseFilters } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import { CloseCode } from '../protocol/codes.js';
import type { Connection } from '../core/connection/connection.js';
import { LiveExceptionFilter } from './live-exception.filter.js';

/** Stands where a gateway has its path; by it the adapter knows which gateways are for live connections. */
export const liveServerMark = 'nestjs-live';

type ConnectionHook = (connection: Connection, ...rest: unknown[]) => unknown;

/**
 * Makes a provider a gateway for live connections: its `@SubscribeMessage('x')` handlers take messages of type `x`, with
 * the whole message as `@MessageBody()` and the `LiveConnection` as `@ConnectedSocket()`. What they return is the answer
 * [L-2.13]; what they throw becomes an `error`. `handleConnection` and `handleDisconnect` work, and may throw.
 *
 * @publicApi
 */
export function LiveHandlers(): ClassDecorator {
  return (target) => {
    guardHook(target.prototype as object, 'handleConnection');
    guardHook(target.prototype as object, 'handleDisconnect');
    applyDecorators(WebSocketGateway({ path: liveServerMark }), UseFilters(LiveExceptionFilter))(target);
  };
}

/** Nest calls these hooks bare: what they throw would end the process. */
function guardHook(prototype: object, name: string): void {
  const hook = Reflect.get(prototype, name) as ConnectionHook | undefined;
  if (typeof hook !== 'function') return;
  const guarded = async function (this: object, connection: Connection, ...rest: unknown[]): Promise<void> {
    try {
      await hook.call(this, connection, ...rest);
    } catch (error) {
      new Logger(this.constructor.name).error({
        msg: `${name} failed`,
        connectionId: connection.id,
        err: error,
      });
      connection.close(CloseCode.internalError, 'the server failed');
    }
  };
  Reflect.set(prototype, name, guarded);
}
