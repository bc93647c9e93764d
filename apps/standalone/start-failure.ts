import { MissingPeer } from './broker.js';
import type { ServerPlan } from './server-plan.js';

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use by another process. Choose another port',
  EACCES: 'cannot be bound by this user. Choose a port above 1023',
  EADDRNOTAVAIL: 'is not an address of this machine. Choose another host',
  ENOTFOUND: 'cannot be found. Choose another host',
};

/**
 * Says to the operator why the server did not start. Includes a stack only for unexpected errors.
 */
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
  // The live server wraps the failure of its own port in a cause. A bare error is from the HTTP
  // server.
  const sockets = cause !== error;
  const [host, port] = sockets ? [LIVE_WS_HOST, LIVE_WS_PORT] : [HTTP_HOST, httpPort];
  const names = sockets ? 'LIVE_WS_HOST and LIVE_WS_PORT' : 'HTTP_HOST and HTTP_PORT';
  return `nestjs-live cannot start: ${host}:${String(port)} (${names}) ${reason}.`;
}

function causeOf(error: unknown): NodeJS.ErrnoException | undefined {
  const innermost = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return innermost instanceof Error ? innermost : undefined;
}
