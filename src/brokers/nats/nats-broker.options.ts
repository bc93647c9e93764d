import {
  type Authenticator,
  type ConnectionOptions,
  credsAuthenticator,
  nkeyAuthenticator,
  type TlsOptions,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from '@nats-io/transport-node';
import { type NatsAddress, readNatsUrl } from './nats-address.js';

/**
 * The JetStream stream that holds all topics; all instances give the same. The defaults hold for a stream that is made:
 * of one that is there, only what is given here is changed, and `onNotice` says so.
 */
export interface NatsStreamOptions {
  /**
   * The stream's name. Another one parts two applications, signals included: unless it is the prefix's own, subjects begin
   * with `<prefix>.@<name>`.
   * @default 'LIVE', or `LIVE-<prefix>` beside another prefix
   */
  readonly name?: string;
  /** What all subjects begin with; another one parts two applications. @default 'live' */
  readonly prefix?: string;
  /** JetStream domain that has the stream, where leaf nodes have one each. @default the server's own */
  readonly domain?: string;
  /** `file` outlives the server; `memory` is for what may be lost with it. Cannot be changed later. @default 'file' */
  readonly storage?: 'file' | 'memory';
  /** Servers of a cluster that hold a copy, 1 to 5; more than 1 needs nats-server 2.9.21. @default 1 */
  readonly replicas?: number;
  /**
   * Milliseconds that anything is kept. A topic that nothing was published to for so long gets a new epoch.
   * @default 604800000 (7 days)
   */
  readonly retentionMs?: number;
  /** Messages kept of each topic, at least 64; histories cannot be longer. @default 512 */
  readonly messagesPerTopic?: number;
  /** Bytes of all topics together; beyond it the oldest of all are forgotten. @default 1073741824 */
  readonly maxBytes?: number;
}

/** Options of `NatsBroker`. Everything has a default. */
export interface NatsBrokerOptions {
  /**
   * `nats://` or, with TLS, `tls://`, then `[user:password@|token@]host[:port]`. Several name servers of one cluster.
   * @default 'nats://127.0.0.1:4222'
   */
  readonly url?: string | readonly string[];
  /** Seed of an nkey, `SU…`. */
  readonly nkey?: string;
  /** Text of a `.creds` file: a JWT and its seed. */
  readonly creds?: string;
  /** Options of the NATS client, for what an address cannot say: `{ tls: { caFile } }`. */
  readonly client?: Pick<ConnectionOptions, 'tls' | 'name' | 'inboxPrefix' | 'authenticator'>;
  readonly stream?: NatsStreamOptions;
  /** Milliseconds for one call; what became of it then, nobody knows. @default 3000 */
  readonly callTimeoutMs?: number;
  /** Milliseconds for opening a connection. @default 6000 */
  readonly openTimeoutMs?: number;
  /** Milliseconds between two probes of the connection. @default 2000 */
  readonly probeIntervalMs?: number;
  /** Milliseconds for a probe to come back. @default 2000 */
  readonly probeTimeoutMs?: number;
  /** Milliseconds that a subscription stays after the last one here has left the topic. @default 2000 */
  readonly lingerMs?: number;
  /** Calls that may wait for an answer; the next one is refused at once. @default 10000 */
  readonly maxWaitingCalls?: number;
  /** Bytes of them. @default 67108864 */
  readonly maxWaitingBytes?: number;
  /**
   * Uses several copies on servers older than 2.9.21, which check the expected sequence outside their consensus: of
   * publications that several instances make at once, some are lost although they were acknowledged. For tests.
   * @default false
   */
  readonly dangerouslyAllowUnsafeReplicas?: boolean;
  /** Called with each setting that was changed in an existing stream, for a log. @default not reported */
  readonly onNotice?: (message: string) => void;
  /** Told what goes wrong with the connection, in words without a secret. @default nobody is told but by `available` */
  readonly onError?: (doing: string, error: unknown) => void;
}

export interface ResolvedNatsOptions extends Required<
  Omit<NatsBrokerOptions, 'url' | 'nkey' | 'creds' | 'client' | 'stream'>
> {
  readonly stream: WantedStream;
  readonly connection: ConnectionOptions;
}

/** The stream as it was asked for; what is `undefined` was not. */
export interface WantedStream extends Omit<NatsStreamOptions, 'name' | 'prefix'> {
  readonly name: string;
  /** What all subjects begin with. */
  readonly root: string;
}

const numbers = {
  callTimeoutMs: 3_000,
  openTimeoutMs: 6_000,
  probeIntervalMs: 2_000,
  probeTimeoutMs: 2_000,
  lingerMs: 2_000,
  maxWaitingCalls: 10_000,
  maxWaitingBytes: 67_108_864,
} as const;

/** Fewest messages of a topic: two bases of the largest size are that many. */
export const minMessagesPerTopic = 64;

const streamNumbers = {
  replicas: [1, 1, 5],
  retentionMs: [604_800_000, 1_000, 3_153_600_000_000],
  messagesPerTopic: [512, minMessagesPerTopic, 100_000],
  maxBytes: [1_073_741_824, 65_536, Number.MAX_SAFE_INTEGER],
} as const;

/** What a stream gets when it is made. */
export const streamDefaults = {
  storage: 'file',
  replicas: streamNumbers.replicas[0],
  retentionMs: streamNumbers.retentionMs[0],
  messagesPerTopic: streamNumbers.messagesPerTopic[0],
  maxBytes: streamNumbers.maxBytes[0],
} as const;

/** @throws Error that names the option, and never shows an address or a secret */
export function resolveNatsOptions(options: NatsBrokerOptions): ResolvedNatsOptions {
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

function streamOf(options: NatsStreamOptions): WantedStream {
  const { prefix = 'live', storage, domain } = options;
  if (!/^[\w-]+(?:\.[\w-]+)*$/.test(prefix) || prefix.length > 128)
    throw wrong('stream.prefix', '1 to 128 of A-Za-z0-9_- in tokens joined by dots');
  const ownName = prefix === 'live' ? 'LIVE' : `LIVE-${prefix.replaceAll('.', '_')}`;
  const { name = ownName } = options;
  if (name !== ownName && !/^[\w-]{1,64}$/.test(name)) throw wrong('stream.name', '1 to 64 of A-Za-z0-9_-');
  if (domain !== undefined && !/^[\w-]{1,64}$/.test(domain))
    throw wrong('stream.domain', '1 to 64 of A-Za-z0-9_-');
  if (storage !== undefined && storage !== 'file' && storage !== 'memory')
    throw wrong('stream.storage', "'file' or 'memory'");
  const given = Object.entries(streamNumbers).filter(
    ([key]) => options[key as keyof typeof streamNumbers] !== undefined,
  );
  return {
    name,
    root: name === ownName ? prefix : `${prefix}.@${name}`,
    ...(storage !== undefined && { storage }),
    ...(domain !== undefined && { domain }),
    ...Object.fromEntries(given.map(([key, bounds]) => [key, whole(options, key, bounds, 'stream.')])),
  };
}

function whole(
  options: object,
  name: string,
  [fallback, least, most]: readonly [number, number, number],
  where = '',
): number {
  const value: unknown = (options as Record<string, unknown>)[name] ?? fallback;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most)
    return value;
  throw wrong(`${where}${name}`, `a whole number from ${String(least)} to ${String(most)}`);
}

function wrong(option: string, allowed: string): Error {
  return new Error(`NatsBroker: "${option}" must be ${allowed}.`);
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
  if (first === undefined) throw wrong('url', 'at least one address');
  if (more.some((other) => !isSameUser(first, other))) throw wrong('url', 'addresses with the same user');
  const authenticator = client.authenticator ?? authenticatorOf(first, nkey, creds);
  const tls = client.tls ?? (addresses.some((address) => address.tls) ? {} : undefined);
  return {
    name: client.name ?? 'nestjs-live',
    servers: addresses.map(({ server }) => server),
    timeout: openTimeoutMs,
    // What was missed between two connections must be told, so connecting again is done here and not there.
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

/** The client takes a certificate for `localhost` to be right where the server is named by its number. */
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
