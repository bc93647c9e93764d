import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { pathOf } from './handshake.js';
import { plainAddress } from './ip-address.js';
import { type HttpServerHooks, noHooks, type TakeUpgrade, UnfinishedResponses } from './live-http-server.js';
import { SharedSockets } from './shared-sockets.js';
import { Refusal, refuse } from './refusal.js';

/**
 * Takes the upgrades of one path out of an http server that others share, with the requests of `takeRequest`, and leaves
 * everything else as it is. Other
 * libraries' listeners destroy paths that they do not know, so ours must never reach them: it is the server's `emit` that
 * is stepped before, which listeners added later do not notice either. Returns what takes it back.
 */
export function routeUpgrades(
  server: Server,
  path: string,
  takeUpgrade: TakeUpgrade,
  sockets = new SharedSockets(),
  hooks: Pick<HttpServerHooks, 'takeRequest' | 'refused'> = noHooks,
): () => void {
  const responses = new UnfinishedResponses();
  const note = (request: IncomingMessage, response: ServerResponse): void => {
    responses.note(request, response);
    sockets.asked(request, response);
  };
  const others = ({ socket: { remoteAddress } }: IncomingMessage, socket: Duplex): void => {
    // Alone here: nobody else would answer.
    if (server.listenerCount('upgrade') > 1) return;
    socket.on('error', () => {});
    const refusal = new Refusal(404, 'Nothing lives at this path');
    hooks.refused(refusal, plainAddress(remoteAddress));
    refuse(socket, refusal);
  };
  const emit = server.emit.bind(server);
  let over = false;
  const stepBefore = (event: string, ...args: unknown[]): boolean => {
    const [request, socket, head] = args;
    if (
      event === 'request' &&
      !over &&
      hooks.takeRequest(request as IncomingMessage, socket as ServerResponse)
    )
      return true;
    if (event === 'upgrade') sockets.upgraded(socket as Duplex);
    if (over || event !== 'upgrade' || pathOf(request as IncomingMessage) !== path)
      return emit(event, ...args);
    takeUpgrade(
      request as IncomingMessage,
      socket as Duplex,
      head as Buffer,
      responses.has(socket as Duplex),
    );
    return true;
  };
  server.emit = stepBefore;
  // With TLS it is the inner socket that requests come on.
  const connection = 'setSecureContext' in server ? 'secureConnection' : 'connection';
  server.on(connection, sockets.connected);
  server.prependListener('request', note);
  // Node only tells of upgrades when somebody listens.
  server.on('upgrade', others);
  return () => {
    server.off(connection, sockets.connected);
    server.off('request', note);
    server.off('upgrade', others);
    // Somebody else may have stepped before it meanwhile; then it stays, and lets everything pass.
    over = true;
    if (server.emit === stepBefore) server.emit = emit;
  };
}
