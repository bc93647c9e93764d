import { WebSocketGateway } from '@nestjs/websockets';
import { guardHooks } from './connection-hooks.js';
import { LiveExceptionFilter } from './live-exception.filter.js';

/** Stands where a gateway has its path; by it the adapter knows which gateways are for live connections. */
export const liveServerMark = 'nestjs-live';

/** Where `@UseFilters` keeps its list; part of Nest's metadata since its first version. */
const filtersMetadata = '__exceptionFilters__';

/**
 * Makes a provider a gateway for live connections: its `@SubscribeMessage('x')` handlers take messages of type `x`, with
 * the whole message as `@MessageBody()` and the `LiveConnection` as `@ConnectedSocket()`. What they return is the answer
 * [L-2.13]; what they throw becomes an `error`. `handleConnection` and `handleDisconnect` work: messages wait until the
 * promise of the first has resolved, and what either throws closes the connection with 1011.
 *
 * The protocol's own types cannot be handled here: extend `LiveGateway` for that, and name it in `forRoot({ gateway })`.
 *
 * @publicApi
 */
export function LiveHandlers(): ClassDecorator {
  return (target) => {
    guardHooks(target.prototype as object);
    WebSocketGateway({ path: liveServerMark })(target);
    // First in the list is last to be asked: the class's own filters come before it, wherever they are written.
    const filters = (Reflect.getMetadata(filtersMetadata, target) ?? []) as unknown[];
    Reflect.defineMetadata(filtersMetadata, [LiveExceptionFilter, ...filters], target);
  };
}
