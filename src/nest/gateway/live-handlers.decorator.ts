import { WebSocketGateway } from '@nestjs/websockets';
import { requestWithoutMethod } from '../options/live.errors.js';
import { guardHooks } from './connection-hooks.js';
import type { CheckedHandlersClass, HandlersClass, RequestMethod } from './define-requests.js';
import { LiveRequest } from './live-request.decorator.js';
import { LiveExceptionFilter } from './live-exception.filter.js';

/**
 * Takes the place of a gateway's path; it tells the adapter which gateways handle live connections.
 */
export const liveServerMark = 'nestjs-live';

/** Metadata keys of `@UseFilters` and `@SubscribeMessage`, unchanged since Nest's first version. */
const filtersMetadata = '__exceptionFilters__';
const typeMetadata = 'message';

/**
 * Makes a provider a gateway for live connections. Its `@SubscribeMessage('x')` handlers receive
 * messages of type `x`, with the whole message as `@MessageBody()` and the `LiveConnection` as
 * `@ConnectedSocket()`. A returned value is the answer [L-2.13]; an exception becomes an `error`.
 * `handleConnection` and `handleDisconnect` work: messages wait for the promise of the first, and
 * an exception in either closes the connection with 1011.
 *
 * A class with `static readonly requests = defineRequests(…)` needs no `@SubscribeMessage`.
 *
 * The protocol's own types cannot be handled here: for those, extend `LiveGateway` and set
 * `forRoot({ gateway })`.
 *
 * @throws Error immediately if `requests` names no method, or one that handles another type
 */
export function LiveHandlers(): <Class extends HandlersClass>(
  target: CheckedHandlersClass<Class> & Class,
) => void {
  return (target: HandlersClass) => {
    guardHooks(target.prototype);
    const gateway = target as HandlersClass & (abstract new () => object);
    for (const [type, entry] of Object.entries(target.requests ?? {})) handle(gateway, type, entry);
    WebSocketGateway({ path: liveServerMark })(gateway);
    // The first filter in the list runs last, so the class's own filters take precedence.
    const filters = (Reflect.getMetadata(filtersMetadata, target) ?? []) as unknown[];
    Reflect.defineMetadata(filtersMetadata, [LiveExceptionFilter, ...filters], target);
  };
}

function handle(
  gateway: HandlersClass & { readonly name: string },
  type: string,
  entry: string | RequestMethod,
): void {
  const { method, ...schemas } = typeof entry === 'string' ? { method: entry } : entry;
  const handler = (gateway.prototype as Readonly<Record<string, unknown>>)[method];
  if (typeof handler !== 'function') throw requestWithoutMethod(gateway.name, type, method);
  const other: unknown = Reflect.getMetadata(typeMetadata, handler);
  if (other === undefined)
    (LiveRequest(type, schemas) as MethodDecorator)(gateway.prototype, method, { value: handler });
  else if (other !== type) throw requestWithoutMethod(gateway.name, type, method, String(other));
}
