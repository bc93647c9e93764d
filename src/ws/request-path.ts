import type { IncomingMessage } from 'node:http';

/** The start of a target in absolute form, which servers must accept (RFC 9112, section 3.2.2). */
const absoluteForm = /^(?:https?|wss?):\/\/([^/?#]*)/i;

/**
 * The path of a request target, without the query. Avoids `new URL`, which throws on malformed
 * input.
 */
export function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '';
  const target = url.startsWith('/') ? url : originForm(url).target;
  const end = target.search(/[?#]/);
  const path = end < 0 ? target : target.slice(0, end);
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

export function originForm(url: string): { readonly target: string; readonly host?: string } {
  const [head, host] = absoluteForm.exec(url) ?? [];
  if (head === undefined || host === undefined) return { target: url };
  const target = url.slice(head.length);
  return { target: target.startsWith('/') ? target : `/${target}`, host };
}

/** Rewrites a target in absolute form to a path; its host replaces the `Host` header. [L-1.1] */
export function useOriginForm(request: IncomingMessage): void {
  const { target, host } = originForm(request.url ?? '');
  if (host === undefined) return;
  request.url = target;
  request.headers.host = host;
  const at = request.rawHeaders.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'host');
  request.rawHeaders[at + 1] = host;
}
