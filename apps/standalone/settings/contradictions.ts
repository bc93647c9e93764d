import { ServerSettings } from '../settings.js';
import { isLoopback } from './rules.js';

/** A contradiction between several settings. */
export interface Contradiction {
  readonly names: readonly (keyof ServerSettings)[];
  readonly text: string;
}

const tokenSources = ['LIVE_JWT_SECRET', 'LIVE_JWT_PUBLIC_KEY', 'LIVE_JWKS_URL'] as const;
const credentialSources = [...tokenSources, 'LIVE_SESSION_URL'] as const;
const natsSettings = [
  'LIVE_NATS_STREAM',
  'LIVE_NATS_DOMAIN',
  'LIVE_NATS_STORAGE',
  'LIVE_NATS_REPLICAS',
  'LIVE_NATS_MAX_BYTES',
] as const;
const wildcards = ['0.0.0.0', '::', '[::]'];

/** Whether no credential source is configured. The server then generates a secret of its own. */
export function hasNoCredentialSource(settings: ServerSettings): boolean {
  return credentialSources.every((name) => settings[name] === undefined);
}

/** Finds contradictions between settings that are each valid. */
export function contradictions(settings: ServerSettings, production: boolean): Contradiction[] {
  return [
    ...credentials(settings, production),
    ...(hasNoCredentialSource(settings) && !production ? openHosts(settings) : []),
    ...samePort(settings),
    ...socketPath(settings),
    ...proxyProtocol(settings),
    ...ingestion(settings),
    ...natsStream(settings),
    ...(production ? publishKey(settings) : []),
  ];
}

function credentials(settings: ServerSettings, production: boolean): Contradiction[] {
  const sources = credentialSources.filter((name) => settings[name] !== undefined);
  const found: Contradiction[] = [];
  if (sources.length > 1)
    found.push({ names: sources, text: `${sources.join(' and ')} are both set: keep one.` });
  if (sources.length === 0 && production) {
    const text = `With NODE_ENV=production one of ${credentialSources.join(', ')} must be set: the server could not admit any client.`;
    found.push({ names: credentialSources, text });
  }
  if (settings.LIVE_SESSION_URL !== undefined && settings.LIVE_ALLOWED_ORIGINS === undefined) {
    const text =
      'LIVE_SESSION_URL needs LIVE_ALLOWED_ORIGINS: a browser sends cookies from any page, so list the origins that may connect.';
    found.push({ names: ['LIVE_SESSION_URL', 'LIVE_ALLOWED_ORIGINS'], text });
  }
  if (settings.LIVE_JWT_SECRET_PREVIOUS !== undefined && settings.LIVE_JWT_SECRET === undefined) {
    const text =
      'LIVE_JWT_SECRET_PREVIOUS is set without LIVE_JWT_SECRET: set the secret that signs tokens now.';
    found.push({ names: ['LIVE_JWT_SECRET_PREVIOUS', 'LIVE_JWT_SECRET'], text });
  }
  if (tokenSources.some((name) => settings[name] !== undefined)) return found;
  for (const name of ['LIVE_JWT_ISSUER', 'LIVE_JWT_AUDIENCE', 'LIVE_JWT_REQUIRE_EXP'] as const) {
    if (settings[name] === undefined || settings[name] === false) continue;
    found.push({
      names: [name, ...tokenSources],
      text: `${name} is set, but no tokens are checked: set one of ${tokenSources.join(', ')}, or remove it.`,
    });
  }
  return found;
}

function openHosts(settings: ServerSettings): Contradiction[] {
  return (['LIVE_WS_HOST', 'HTTP_HOST'] as const)
    .filter((name) => !isLoopback(settings[name]))
    .map((name) => ({
      names: [name, ...credentialSources],
      text:
        `${name} is "${settings[name]}", but without a credential source it must be a loopback address such as ` +
        `127.0.0.1: set one of ${credentialSources.join(', ')} to listen on it.`,
    }));
}

function samePort(settings: ServerSettings): Contradiction[] {
  const { LIVE_WS_PORT, HTTP_PORT, LIVE_WS_HOST, HTTP_HOST } = settings;
  if (settings.LIVE_WS_SOCKET_PATH !== undefined) return [];
  const meet =
    LIVE_WS_HOST === HTTP_HOST || [LIVE_WS_HOST, HTTP_HOST].some((host) => wildcards.includes(host));
  if (HTTP_PORT === 0 || LIVE_WS_PORT !== HTTP_PORT || !meet) return [];
  const text = `LIVE_WS_PORT and HTTP_PORT are both ${String(HTTP_PORT)}: the sockets need a port of their own.`;
  return [{ names: ['LIVE_WS_PORT', 'HTTP_PORT', 'LIVE_WS_HOST', 'HTTP_HOST'], text }];
}

function socketPath(settings: ServerSettings): Contradiction[] {
  if (settings.LIVE_WS_SOCKET_PATH === undefined) return [];
  const defaults = new ServerSettings();
  const found: Contradiction[] = (['LIVE_WS_HOST', 'LIVE_WS_PORT'] as const)
    .filter((name) => settings[name] !== defaults[name])
    .map((name) => ({
      names: ['LIVE_WS_SOCKET_PATH', name],
      text: `LIVE_WS_SOCKET_PATH and ${name} are both set: keep one.`,
    }));
  if (typeof settings.LIVE_TRUSTED_PROXIES === 'object') {
    const text =
      'LIVE_TRUSTED_PROXIES is a list, but at LIVE_WS_SOCKET_PATH no proxy has an address: set the number of proxies that every ' +
      'client connects through, such as 1.';
    found.push({ names: ['LIVE_WS_SOCKET_PATH', 'LIVE_TRUSTED_PROXIES'], text });
  }
  return found;
}

/** Shorter keys can be guessed over the network. 16 hexadecimal characters are 64 bits. */
const minPublishKeyLength = 16;

function publishKey({ LIVE_PUBLISH_KEY: key }: ServerSettings): Contradiction[] {
  if (key === undefined || key.length >= minPublishKeyLength) return [];
  const text =
    `With NODE_ENV=production LIVE_PUBLISH_KEY must have at least ${String(minPublishKeyLength)} characters: anyone who ` +
    'guesses it can publish to every topic (openssl rand -hex 32).';
  return [{ names: ['LIVE_PUBLISH_KEY'], text }];
}

function proxyProtocol({
  LIVE_PROXY_PROTOCOL,
  LIVE_TRUSTED_PROXIES: proxies = 0,
}: ServerSettings): Contradiction[] {
  if (!LIVE_PROXY_PROTOCOL || proxies !== 0) return [];
  const text = 'LIVE_PROXY_PROTOCOL needs LIVE_TRUSTED_PROXIES: set the proxies that send the header.';
  return [{ names: ['LIVE_PROXY_PROTOCOL', 'LIVE_TRUSTED_PROXIES'], text }];
}

function ingestion({ LIVE_INGEST, LIVE_BROKER_URL = '' }: ServerSettings): Contradiction[] {
  if (!LIVE_INGEST || /^rediss?(?:\+sentinel)?:/i.test(LIVE_BROKER_URL.trim())) return [];
  const text =
    'LIVE_INGEST reads a stream of the Redis server in LIVE_BROKER_URL: set one that begins with redis:// or rediss://, ' +
    'or remove LIVE_INGEST.';
  return [{ names: ['LIVE_INGEST', 'LIVE_BROKER_URL'], text }];
}

function natsStream(settings: ServerSettings): Contradiction[] {
  const { LIVE_BROKER_URL = '' } = settings;
  if (/^(?:nats|tls):/.test(LIVE_BROKER_URL)) return [];
  const names = natsSettings.filter((name) => settings[name] !== undefined);
  if (names.length === 0) return [];
  const text = `${names.join(', ')} require a NATS broker: set LIVE_BROKER_URL to one that begins with nats:// or tls://.`;
  return [{ names: [...names, 'LIVE_BROKER_URL'], text }];
}
