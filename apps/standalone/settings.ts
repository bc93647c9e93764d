import {
  brokerAddress,
  matching,
  oneOf,
  onOrOff,
  originList,
  proxies,
  publicKey,
  secretText,
  webAddress,
  wholeNumber,
} from './settings/rules.js';
import { Env } from './settings/variable.js';

const dayMs = 86_400_000;
const port = wholeNumber(0, 65_535);
const host = matching(/^[\w.:-]{1,253}$/, 'an address or a host name, such as 127.0.0.1 or 0.0.0.0');
const limit = wholeNumber(0, 10_000_000);
const claim = matching(/^\S.{0,255}$/, '1 to 256 characters');

/** The server's settings: each property is the environment variable of its name. [S17] */
export class ServerSettings {
  @Env(
    'Name of this instance in welcomes, logs and metrics',
    matching(/^[\w.:-]{1,128}$/, '1 to 128 of A-Za-z0-9_.:-'),
    'host name and process id',
  )
  readonly INSTANCE_ID?: string;

  @Env('Address of the live sockets', host)
  readonly LIVE_WS_HOST: string = '127.0.0.1';

  @Env('Port of the live sockets; 0 for a free one', port)
  readonly LIVE_WS_PORT: number = 8081;

  @Env(
    'Unix socket of the live sockets instead of LIVE_WS_HOST and LIVE_WS_PORT, for a proxy',
    matching(/^\/[ -9;-~]{1,102}$/, 'an absolute path of 2 to 103 ASCII characters without ":"'),
    'none: a port is used',
  )
  readonly LIVE_WS_SOCKET_PATH?: string;

  @Env('Path of the live sockets', matching(/^(?:\/[\w.~-]+)+$|^\/$/, 'a path such as /live'))
  readonly LIVE_WS_PATH: string = '/live';

  @Env('Milliseconds between WebSocket pings to one connection', wholeNumber(10, dayMs))
  readonly LIVE_WS_PING_INTERVAL_MS: number = 25_000;

  @Env('Milliseconds after a ping until a silent connection is closed', wholeNumber(10, dayMs))
  readonly LIVE_WS_PONG_TIMEOUT_MS: number = 10_000;

  @Env('Bytes that may queue for one connection before it is closed with 1008', wholeNumber(0, 2 ** 30))
  readonly LIVE_WS_BACKPRESSURE_THRESHOLD_BYTES: number = 1_048_576;

  @Env('Milliseconds after which a shutdown terminates the remaining connections', wholeNumber(0, dayMs))
  readonly LIVE_WS_DRAIN_TIMEOUT_MS: number = 20_000;

  @Env(
    'Milliseconds over which a shutdown spreads the departures of clients; 0 closes all at once',
    wholeNumber(0, dayMs),
  )
  readonly LIVE_DRAIN_WINDOW_MS: number = 10_000;

  @Env('Milliseconds between "not ready" and the drain, for load balancers to see it', wholeNumber(0, dayMs))
  readonly LIVE_DRAIN_NOTICE_MS: number = 0;

  @Env('Address of the HTTP endpoints: health, metrics, publishing and the page', host)
  readonly HTTP_HOST: string = '127.0.0.1';

  @Env('Port of the HTTP endpoints; 0 for a free one', port)
  readonly HTTP_PORT: number = 9090;

  @Env('Origins of the pages that may connect', originList(), 'in development, the page of this server')
  readonly LIVE_ALLOWED_ORIGINS?: readonly string[];

  @Env('Refuse a cookie without an Origin, which every browser sends and a proxy may drop', onOrOff())
  readonly LIVE_REQUIRE_ORIGIN: boolean = false;

  @Env('Also serve event streams at /live/events, for networks that block WebSockets', onOrOff())
  readonly LIVE_SSE: boolean = false;

  @Env('Secret of HS256 tokens', secretText(32, 'openssl rand -base64 32'), 'none')
  readonly LIVE_JWT_SECRET?: string;

  @Env(
    'Previous secret of HS256 tokens, until the tokens that it signed have expired',
    secretText(32, 'the old LIVE_JWT_SECRET'),
    'none',
  )
  readonly LIVE_JWT_SECRET_PREVIOUS?: string;

  @Env('Public key of the token issuer', publicKey(), 'none')
  readonly LIVE_JWT_PUBLIC_KEY?: string | Readonly<Record<string, unknown>>;

  @Env('Cookie that may hold the token', matching(/^[\w!#$%&'*+.^`|~-]{1,128}$/, "a cookie's name"))
  readonly LIVE_COOKIE_NAME: string = 'live_token';

  @Env('URL of the public keys (JWK set) of the token issuer', webAddress(true), 'none')
  readonly LIVE_JWKS_URL?: string;

  @Env('Required iss of a token', claim, 'not checked')
  readonly LIVE_JWT_ISSUER?: string;

  @Env('Required aud of a token', claim, 'not checked')
  readonly LIVE_JWT_AUDIENCE?: string;

  @Env('Refuse tokens without exp, which never expire', onOrOff())
  readonly LIVE_JWT_REQUIRE_EXP: boolean = false;

  @Env(
    'URL of the session backend: it gets the cookie header, and admits by 200 with a JSON user',
    webAddress(false),
    'none',
  )
  readonly LIVE_SESSION_URL?: string;

  @Env(
    'Bearer key of POST /publish; at least 16 characters with NODE_ENV=production',
    secretText(1, 'openssl rand -hex 32'),
    'none: publishing over HTTP is off; in development, a random one',
  )
  readonly LIVE_PUBLISH_KEY?: string;

  @Env('Minimum severity of log entries', oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'))
  readonly LOG_LEVEL: string = 'info';

  @Env('Publications of each topic that are kept for returning clients', wholeNumber(0, 100_000))
  readonly LIVE_HISTORY_SIZE: number = 100;

  @Env('Milliseconds that a publication is kept for returning clients', wholeNumber(0, 30 * dayMs))
  readonly LIVE_HISTORY_TTL_MS: number = 300_000;

  @Env(
    'Milliseconds that the version of a publication, as a time, may be ahead of the clock here; above it, 400',
    wholeNumber(0, 365 * dayMs),
    'none: versions need not be times',
  )
  readonly LIVE_MAX_VERSION_AHEAD_MS?: number;

  @Env('Maximum bytes of a snapshot as JSON; above it, limit-exceeded', wholeNumber(1, 2 ** 30))
  readonly LIVE_MAX_SNAPSHOT_BYTES: number = 33_554_432;

  @Env('Maximum connections of this instance, 0 for no limit; above it, 503', limit)
  readonly LIVE_MAX_CONNECTIONS: number = 0;

  @Env('Maximum connections of one user, 0 for no limit; above it, 429', limit)
  readonly LIVE_MAX_CONNECTIONS_PER_USER: number = 0;

  @Env('Maximum connections of one address (IPv6: one /64), 0 for no limit; above it, 429', limit)
  readonly LIVE_MAX_CONNECTIONS_PER_ADDRESS: number = 0;

  @Env(
    'Proxies whose X-Forwarded-For is trusted: their addresses, or the number of proxies before every client',
    proxies(),
    'none: the client address is that of the socket',
  )
  readonly LIVE_TRUSTED_PROXIES?: number | readonly string[];

  @Env(
    'Whether LIVE_TRUSTED_PROXIES open each connection with a PROXY protocol header, version 1 or 2',
    onOrOff(),
  )
  readonly LIVE_PROXY_PROTOCOL: boolean = false;

  @Env('Broker between instances', brokerAddress(), 'none: one instance')
  readonly LIVE_BROKER_URL?: string;

  @Env(
    'JetStream stream of a NATS broker; each application needs its own',
    matching(/^[\w-]{1,64}$/, '1 to 64 of A-Za-z0-9_-'),
    'LIVE',
  )
  readonly LIVE_NATS_STREAM?: string;

  @Env(
    'JetStream domain of the stream',
    matching(/^[\w-]{1,64}$/, '1 to 64 of A-Za-z0-9_-'),
    "the server's own",
  )
  readonly LIVE_NATS_DOMAIN?: string;

  @Env('Where NATS stores the stream; fixed when it is created', oneOf('file', 'memory'), 'file')
  readonly LIVE_NATS_STORAGE?: 'file' | 'memory';

  @Env(
    'Copies of the stream in a NATS cluster; more than 1 needs nats-server 2.9.21',
    wholeNumber(1, 5),
    '1, or the value of the existing stream',
  )
  readonly LIVE_NATS_REPLICAS?: number;

  @Env(
    'Maximum bytes of the stream; above it, the oldest publications of all topics are removed',
    wholeNumber(65_536, 999_999_999_999_999),
    '1073741824, or the value of the existing stream',
  )
  readonly LIVE_NATS_MAX_BYTES?: number;

  @Env(
    'Publish the entries that other programs add to the Redis Stream live:in of the broker (XADD)',
    onOrOff(),
  )
  readonly LIVE_INGEST: boolean = false;

  @Env('Moving vehicles on fleet/demo', onOrOff(), 'true in development')
  readonly LIVE_DEMO?: boolean;
}
