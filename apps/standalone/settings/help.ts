import { ServerSettings } from '../settings.js';
import { variablesOf } from './variable.js';

/** The output of `--help`. */
export function helpText(version: string): string {
  const defaults = new ServerSettings();
  const lines = variablesOf(ServerSettings).map(({ name, about, allowed, fallback }) => {
    const value = fallback ?? String(defaults[name as keyof ServerSettings]);
    return `  ${name}\n      ${about}.\n      Default: ${value}. Allowed: ${allowed}.`;
  });
  return [
    `nestjs-live ${version}: broadcasts live data to authorized clients.`,
    '',
    'Usage: npx nestjs-live [asyncapi [--client] | --help | --version]',
    '',
    'asyncapi prints what clients can follow and send, as an AsyncAPI document, and starts nothing. With --client the',
    'document is that of a client, which generators of clients read.',
    '',
    'Everything is set by environment variables. Without LIVE_JWT_SECRET, LIVE_JWT_PUBLIC_KEY, LIVE_JWKS_URL and',
    'LIVE_SESSION_URL, and with NODE_ENV other than production, it runs in development mode: on loopback addresses only, with a random',
    'secret, and with a page that signs itself in.',
    '',
    ...lines,
    '',
  ].join('\n');
}
