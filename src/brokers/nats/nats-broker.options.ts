import {
  type Authenticator,
  type ConnectionOptions,
  credsAuthenticator,
  nkeyAuthenticator,
  type TlsOptions,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from '@nats-io/transport-node';
import type { Names } from '../../core/ports/option-names.js';
import { onlyKnown } from '../known-options.js';
import { type NatsAddress, readNatsUrl } from './nats-address.js';
import { type NatsStreamOptions, streamNames, streamOf, type WantedStream } from './nats-stream.options.js';
import { whole, wrong } from './option-checks.js';

/** Options of `NatsBroker`. All have defaults. */
export interface NatsBrokerOptions {
  /**
   * `nats://` or, with TLS, `tls://`, then `[user:password@|token@]host[:port]`. Several URLs name
   * servers of one cluster.
   *
   * @default 'nats://127.0.0.1:4222'
   */
  readonly url?: string | readonly string[];
  /** Seed of an nkey, `SU…`. */
  readonly nkey?: string;
  /** Content of a `.creds` file: a JWT and its seed. */
  readonly creds?: string;
  /** Options of the NATS client for what a URL cannot express, such as `{ tls: { caFile } }`. */
  readonly client?: Pick<ConnectionOptions, 'tls' | 'name' | 'inboxPrefix' | 'authenticator'>;
  /** The stream that keeps the publications. */
  readonly stream?: NatsStreamOptions;
  /** Milliseconds for one call. A call that timed out may still take effect. @default 3000 */
  readonly callTimeoutMs?: number;
  /** Milliseconds for opening a connection. @default 6000 */
  readonly openTimeoutMs?: number;
  /** Milliseconds between probes of the connection. @default 2000 */
  readonly probeIntervalMs?: number;
  /** Milliseconds for a probe to return. @default 2000 */
  readonly probeTimeoutMs?: number;
  /**
   * Milliseconds that a subscription stays in NATS after the last local subscriber has left.
   *
   * @default 2000
   */
  readonly lingerMs?: number;
  /** Calls that may wait for an answer; further ones are refused at once. @default 10000 */
  readonly maxWaitingCalls?: number;
  /** Bytes of the waiting calls. @default 67108864 */
  readonly maxWaitingBytes?: number;
  /**
   * Allows several copies on servers older than 2.9.21, which check the expected sequence outside
   * their consensus. When several instances publish at once, such servers lose acknowledged
   * publications. For tests.
   *
   * @default false
   */
  readonly dangerouslyAllowUnsafeReplicas?: boolean;
  /** Called with each setting changed in an existing stream, for a log. @default not reported */
  readonly onNotice?: (message: string) => void;
  /**
   * Called with each problem of the connection, in words without secrets.
   *
   * @default none; only `available` shows the outage
   */
  readonly onError?: (doing: string, error: unknown) => void;
}

export interface ResolvedNatsOptions extends Required<
  Omit<NatsBrokerOptions, 'url' | 'nkey' | 'creds' | 'client' | 'stream'>
> {
  readonly stream: WantedStream;
  readonly connection: ConnectionOptions;
}

const optionNames: Names<NatsBrokerOptions> = {
  url: true,
  nkey: true,
  creds: true,
  client: true,
  stream: true,
  callTimeoutMs: true,
  openTimeoutMs: true,
  probeIntervalMs: true,
  probeTimeoutMs: true,
  lingerMs: true,
  maxWaitingCalls: true,
  maxWaitingBytes: true,
  dangerouslyAllowUnsafeReplicas: true,
  onNotice: true,
  onError: true,
};
const clientNames = { tls: true, name: true, inboxPrefix: true, authenticator: true };

const numbers = {
  callTimeoutMs: 3_000,
  openTimeoutMs: 6_000,
  probeIntervalMs: 2_000,
  probeTimeoutMs: 2_000,
  lingerMs: 2_000,
  maxWaitingCalls: 10_000,
  maxWaitingBytes: 67_108_864,
} as const;

/** @throws Error that names the option, and never shows a URL or a secret */
export function resolveNatsOptions(options: NatsBrokerOptions): ResolvedNatsOptions {
  onlyKnown('NatsBroker', options, optionNames);
  onlyKnown('NatsBroker', options.client, clientNames, 'client.');
  onlyKnown('NatsBroker', options.stream, streamNames, 'stream.');
  const entries = Object.entries(numbers).map(
    ([name, fallback]) => [name, whole(options, name, [fallback, 1, Number.MAX_SAFE_INTEGER])] as const,
  );
  const { onError = () => {}, onNotice = () => {}, dangerouslyAllowUnsafeReplicas = false } = options;
  return {
    ...(Object.fromEntries(entries) as Record<keyof typeof numbers, number>),
    onError,
    onNotice,
    dangerouslyAllowUnsafeReplicas,
    stream: streamOf(options.stream ?? {}),
    connection: connectionOf(options),
  };
}

function connectionOf({
  url,
  nkey,
  creds,
  client = {},
  openTimeoutMs = 6_000,
}: NatsBrokerOptions): ConnectionOptions {
  const addresses = [url ?? 'nats://127.0.0.1:4222'].flat().map(readNatsUrl);
  const [first, ...more] = addresses;
  if (first === undefined) throw wrong('url', 'at least one URL');
  if (more.some((other) => !isSameUser(first, other))) throw wrong('url', 'URLs with the same credentials');
  const authenticator = client.authenticator ?? authenticatorOf(first, nkey, creds);
  const tls = client.tls ?? (addresses.some((address) => address.tls) ? {} : undefined);
  return {
    name: client.name ?? 'nestjs-live',
    servers: addresses.map(({ server }) => server),
    timeout: openTimeoutMs,
    // Reconnecting is handled by `NatsConnection`, which must report what was missed in between.
    reconnect: false,
    noAsyncTraces: true,
    ...(tls && { tls: more.length > 0 ? tls : checkedAs(first, tls) }),
    ...(client.inboxPrefix !== undefined && { inboxPrefix: client.inboxPrefix }),
    ...(authenticator && { authenticator }),
  };
}

function isSameUser(one: NatsAddress, other: NatsAddress): boolean {
  return one.user === other.user && one.password === other.password && one.token === other.token;
}

/**
 * The client would accept a certificate for `localhost` if the server is given as an IP address.
 */
function checkedAs({ server }: NatsAddress, tls: TlsOptions): TlsOptions {
  const [, number] = /^(\d+\.\d+\.\d+\.\d+|\[[\da-f:.]+\]):\d+$/i.exec(server) ?? [];
  return number === undefined ? tls : ({ host: number.replace(/^\[(.*)\]$/, '$1'), ...tls } as TlsOptions);
}

function authenticatorOf(
  { user, password, token }: NatsAddress,
  nkey: string | undefined,
  creds: string | undefined,
): Authenticator | undefined {
  if (creds !== undefined) return credsAuthenticator(new TextEncoder().encode(creds));
  if (nkey !== undefined) return nkeyAuthenticator(new TextEncoder().encode(nkey));
  if (user !== undefined) return usernamePasswordAuthenticator(user, password ?? '');
  return token === undefined ? undefined : tokenAuthenticator(token);
}
