import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { pathOf } from './request-path.js';
import { plainAddress } from './ip-address.js';
import { type HttpServerHooks, noHooks, type TakeUpgrade, UnfinishedResponses } from './live-http-server.js';
import { unreadProxyProtocol } from './proxied-sockets.js';
import { Refusal, refuse } from './refusal.js';
import { SharedSockets } from './shared-sockets.js';
import { stepBefore } from './step-before.js';

/**
 * Routes the upgrades of one path, and the requests of `takeRequest`, away from a shared HTTP
 * server. Other libraries' listeners destroy paths they do not know, so ours must not reach them:
 * this wraps the server's `emit`. Returns a function that undoes it.
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
    // With no other listener, nobody else would answer.
    if (server.listenerCount('upgrade') > 1) return;
    socket.on('error', () => {});
    const refusal = new Refusal(404, 'No WebSocket endpoint at this path');
    hooks.refused(refusal, plainAddress(remoteAddress));
    refuse(socket, refusal);
  };
  const giveBack = stepBefore(server, (event, args, passOn) => {
    if (event === 'clientError') noteProxyProtocol(args, hooks);
    if (event === 'request') return hooks.takeRequest(...(args as Exchange)) || passOn();
    if (event !== 'upgrade') return passOn();
    const [request, socket, head] = args as Parameters<TakeUpgrade>;
    sockets.upgraded(socket);
    if (pathOf(request) !== path) return passOn();
    takeUpgrade(request, socket, head, responses.has(socket));
    return true;
  });
  // With TLS, requests arrive on the inner socket.
  const connection = 'setSecureContext' in server ? 'secureConnection' : 'connection';
  server.on(connection, sockets.connected);
  server.prependListener('request', note);
  // Node emits `upgrade` only if there is a listener.
  server.on('upgrade', others);
  return () => {
    server.off(connection, sockets.connected);
    server.off('request', note);
    server.off('upgrade', others);
    giveBack();
  };
}

type Exchange = [request: IncomingMessage, response: ServerResponse];

/** Reports the refusal; the server itself answers. */
function noteProxyProtocol(
  [error, socket]: readonly unknown[],
  { refused }: Pick<HttpServerHooks, 'refused'>,
): void {
  const refusal = unreadProxyProtocol(error as Error);
  if (refusal !== undefined) refused(refusal, plainAddress((socket as Socket).remoteAddress));
}
