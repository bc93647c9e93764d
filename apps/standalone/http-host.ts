import type { IncomingMessage, ServerResponse } from 'node:http';
import { isLoopback } from './settings/rules.js';

/** The name in the `Host` header without its port, or `undefined` if it is no host name. */
export function hostNameOf({ headers }: Pick<IncomingMessage, 'headers'>): string | undefined {
  return /^(\[[\da-f:.]+\]|[\w.-]+)(?::\d{1,5})?$/i.exec(headers.host ?? '')?.[1];
}

/**
 * Middleware that answers 403 to requests for host names other than those of this machine. A
 * foreign page reaches a loopback server through such a name (DNS rebinding).
 */
export function onlyLoopbackHosts(
  request: IncomingMessage,
  response: ServerResponse,
  next: () => void,
): void {
  const name = hostNameOf(request);
  if (name !== undefined && isLoopback(name)) {
    next();
    return;
  }
  const message = 'In development mode the Host must be a loopback name, such as 127.0.0.1 or localhost';
  response.writeHead(403, { 'Content-Type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify({ statusCode: 403, error: 'Forbidden', message }));
}

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self' ws: wss:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Middleware that makes browsers trust only the files of the page. */
export function securityHeaders(_request: IncomingMessage, response: ServerResponse, next: () => void): void {
  response.setHeader('Content-Security-Policy', policy);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Referrer-Policy', 'no-referrer');
  next();
}
