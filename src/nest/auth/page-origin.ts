import type { IncomingMessage } from 'node:http';
import { type OriginRefusal, type OriginRules, originVerdict, valuesOf } from './origin.js';

/** What decides about a request's page. */
type PageRequest = Pick<IncomingMessage, 'rawHeaders' | 'socket' | 'method'>;

/**
 * As `originVerdict`, also for plain requests, with which browsers do not always send an `Origin`.
 * A page of the request's own host then has that host's origin. Other pages have none, and neither
 * has an image or a script that only adds the user's cookies. [L-12.10]
 */
export function pageVerdict(
  { rawHeaders, socket }: PageRequest,
  rules: OriginRules,
  plain: boolean,
): 'ok' | OriginRefusal {
  const verdict = originVerdict(rawHeaders, rules, socket);
  if (!plain || valuesOf('origin', rawHeaders).length > 0) return verdict;
  const [site] = valuesOf('sec-fetch-site', rawHeaders);
  if (site === undefined || site === 'none') return mayBeImage(rawHeaders) ? 'origin-missing' : verdict;
  const [host = ''] = valuesOf('host', rawHeaders);
  const origins = site === 'same-origin' ? [`https://${host}`, `http://${host}`] : ['null'];
  const verdicts = origins.map((origin) => originVerdict([...rawHeaders, 'Origin', origin], rules, socket));
  return verdicts.find((each) => each === 'ok') ?? verdicts[0] ?? 'origin-missing';
}

/** Cookies that came without a request for events, from a browser that does not name the site. */
function mayBeImage(rawHeaders: readonly string[]): boolean {
  if (valuesOf('cookie', rawHeaders).length === 0) return false;
  const asked = valuesOf('accept', rawHeaders).join(',').toLowerCase();
  return !asked.includes('text/event-stream') && !valuesOf('live-session', rawHeaders).length;
}

/** Headers that let the page that sent a request read its answer; none if it may not. [L-12.9] */
export function corsHeaders(
  { rawHeaders, socket, method }: PageRequest,
  rules: OriginRules,
): Record<string, string> {
  const [origin] = valuesOf('origin', rawHeaders);
  if (origin === undefined) return { Vary: 'Origin' };
  // The browser asks before the request, without its credentials.
  if (originVerdict(rawHeaders, rules, method === 'OPTIONS' ? undefined : socket) !== 'ok')
    return { Vary: 'Origin' };
  const withCookies = rules.allowedOrigins !== undefined || rules.dangerouslyAllowAnyOrigin === true;
  return {
    Vary: 'Origin',
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Expose-Headers': 'Retry-After',
    ...(withCookies && { 'Access-Control-Allow-Credentials': 'true' }),
  };
}
