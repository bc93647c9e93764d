import { type ServerPlan, urlHost } from './server-plan.js';

/** The addresses of a running server. */
export interface Addresses {
  readonly page: string;
  readonly sockets: string;
  readonly health: string;
  readonly metrics: string;
  /** In development, the whole command with its key. */
  readonly publish: string;
}

/** `httpPort` and `socketUrl` are the ones that the server is bound to. */
export function addressesOf(plan: ServerPlan, httpPort: number, socketUrl: string): Addresses {
  const base = `http://${urlHost(reachable(plan.settings.HTTP_HOST))}:${String(httpPort)}`;
  return {
    page: `${base}/`,
    sockets: reachableUrl(socketUrl),
    health: `${base}/health/live and ${base}/health/ready`,
    metrics: `${base}/metrics`,
    publish: publishText(plan, `${base}/publish`),
  };
}

/** The addresses as lines for people to read. */
export function bannerOf(addresses: Addresses, { development }: ServerPlan): string {
  const lines = Object.entries(addresses).map(([name, address]) => `  ${name.padEnd(8)} ${String(address)}`);
  const mode = development ? ' in development mode: this machine only, the page signs itself in' : '';
  return `\nnestjs-live is ready${mode}\n${lines.join('\n')}\n\n`;
}

function publishText({ development, publishKey }: ServerPlan, url: string): string {
  if (publishKey === undefined) return 'off: LIVE_PUBLISH_KEY is not set';
  if (!development) return url;
  const headers = `-H 'Authorization: Bearer ${publishKey}' -H 'Content-Type: application/json'`;
  return `curl ${url} ${headers} -d '{"topic":"chat/room-1","data":{"text":"Hello"}}'`;
}

function reachableUrl(socketUrl: string): string {
  const url = new URL(socketUrl);
  // A Unix socket has no host that could be a wildcard.
  if (url.hostname === '') return socketUrl;
  url.hostname = urlHost(reachable(url.hostname));
  return url.href;
}

/** A server listens on a wildcard address, but cannot be reached there. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' || host === '[::]' ? '[::1]' : host;
}
