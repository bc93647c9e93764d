import { MissingPeer } from './broker.js';
import type { ServerPlan } from './server-plan.js';

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use: another process listens there. Choose another port',
  EACCES: 'may not be taken by this user. Choose a port above 1023',
  EADDRNOTAVAIL: 'is no address of this machine. Choose another host',
  ENOTFOUND: 'cannot be found. Choose another host',
};

/** Why the server did not start, in words for who runs it; with a stack only where it is our own fault. */
export function failureText(error: unknown, { settings, httpPort }: ServerPlan): string {
  if (error instanceof MissingPeer) return `nestjs-live cannot start: ${error.message}`;
  if (error instanceof Error && error.message.includes('"socketPath"'))
    return `nestjs-live cannot start: ${error.message.replace('"socketPath"', 'LIVE_WS_SOCKET_PATH')}`;
  const cause = causeOf(error);
  const reason = reasons[cause?.code ?? ''];
  if (cause === undefined || reason === undefined) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  const { LIVE_WS_HOST, LIVE_WS_PORT, HTTP_HOST } = settings;
  // The live server tells the failure of its own port with a cause; a bare one is the http server's.
  const sockets = cause !== error;
  const [host, port] = sockets ? [LIVE_WS_HOST, LIVE_WS_PORT] : [HTTP_HOST, httpPort];
  const names = sockets ? 'LIVE_WS_HOST and LIVE_WS_PORT' : 'HTTP_HOST and HTTP_PORT';
  return `nestjs-live cannot start: ${host}:${String(port)} (${names}) ${reason}.`;
}

function causeOf(error: unknown): NodeJS.ErrnoException | undefined {
  const innermost = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return innermost instanceof Error ? innermost : undefined;
}
