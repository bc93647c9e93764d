import { WebSocketGateway } from '@nestjs/websockets';
import { guardHooks } from './connection-hooks.js';
import { LiveExceptionFilter } from './live-exception.filter.js';

/**
 * Takes the place of a gateway's path; it tells the adapter which gateways handle live connections.
 */
export const liveServerMark = 'nestjs-live';

/** Metadata key of `@UseFilters`, unchanged since Nest's first version. */
const filtersMetadata = '__exceptionFilters__';

/**
 * Makes a provider a gateway for live connections. Its `@SubscribeMessage('x')` handlers receive
 * messages of type `x`, with the whole message as `@MessageBody()` and the `LiveConnection` as
 * `@ConnectedSocket()`. A returned value is the answer [L-2.13]; an exception becomes an `error`.
 * `handleConnection` and `handleDisconnect` work: messages wait for the promise of the first, and
 * an exception in either closes the connection with 1011.
 *
 * The protocol's own types cannot be handled here: for those, extend `LiveGateway` and set
 * `forRoot({ gateway })`.
 */
export function LiveHandlers(): ClassDecorator {
  return (target) => {
    guardHooks(target.prototype as object);
    WebSocketGateway({ path: liveServerMark })(target);
    // The first filter in the list runs last, so the class's own filters take precedence.
    const filters = (Reflect.getMetadata(filtersMetadata, target) ?? []) as unknown[];
    Reflect.defineMetadata(filtersMetadata, [LiveExceptionFilter, ...filters], target);
  };
}
