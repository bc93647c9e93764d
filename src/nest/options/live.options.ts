import type { LiveConnection } from '../../core/ports/connection.js';
import type { PublishQueueLimits } from '../../core/ports/limits.js';
import type { Broker } from '../../core/ports/broker.js';
import type { JwtConnectionOptions } from './jwt-connection.options.js';
import type { SessionConnectionOptions } from './session-connection.options.js';

/** How fast one connection may send: messages and WebSocket pings, and the bytes in them. */
export interface InboundRateOptions {
  /** @default 20 */
  readonly messagesPerSecond?: number;
  /**
   * Messages that may come at once after a rest.
   * @default what comes in 2 seconds, and one `subscribe` for each of `maxTopicsPerConnection`: 168. A client that comes
   * back asks for all its topics at once.
   */
  readonly messageBurst?: number;
  /** @default 65536 */
  readonly bytesPerSecond?: number;
  /**
   * Bytes that may come at once after a rest, at least `maxMessageBytes`.
   * @default what comes in a second, one message of `maxMessageBytes`, and 512 bytes for each of `maxTopicsPerConnection`:
   * 196608
   */
  readonly byteBurst?: number;
}

/** How much the answers to one user's subscribes may hold: recovered publications and snapshots, as JSON text. */
export interface ReplayRateOptions {
  /** @default 2097152 */
  readonly bytesPerSecond?: number;
  /**
   * Bytes that may be sent at once after a rest.
   * @default 33554432: a hundred topics with a snapshot of 300 KB each, when a client comes back
   */
  readonly byteBurst?: number;
}

/** Options of `LiveModule.forRoot`. Everything has a safe default but the guards, which are named beside these. */
export interface LiveModuleOptions {
  /**
   * Port of the live server's own http server; `'app'` shares the host application's server instead. 0 takes a free one.
   * @default 8081
   */
  readonly port?: number | 'app';
  /** Address that the own server binds to. @default '127.0.0.1' */
  readonly host?: string;
  /**
   * Unix socket of the own server, in place of `host` and `port`: an absolute path without `:`, at most 103 bytes. What a
   * process that died has left there is removed. Whoever may write to the file may connect: its mode follows the umask.
   * A Unix socket has no address, so `trustedProxies` behind it is a number.
   * @default none, the server has a port
   */
  readonly socketPath?: string;
  /** Path of the sockets. @default '/live' */
  readonly path?: string;
  /**
   * Stores and carries the streams between instances: `new RedisBroker({ url })` from `nestjs-live/redis`. One of its own
   * for each application, which closes it; a function is called once, when the application is put together.
   * @default the memory of this process
   */
  readonly broker?: Broker | (() => Broker);
  /** Name of this instance in welcomes and metrics. @default a random one */
  readonly instanceId?: string;
  /**
   * Origins of pages that may connect, each letter by letter as a browser sends it (`https://app.example`), or
   * `https://*.app.example` for all its sub-domains, of one or more labels, and not itself. Whoever can put a page on any of
   * them can then use its visitors' cookies here: name no domain under which strangers have sub-domains.
   * Without it, a browser that sends cookies, HTTP Basic or a client certificate is refused. [L-1.7]
   */
  readonly allowedOrigins?: readonly string[];
  /**
   * Refuses a handshake that has no `Origin`, but a credential that browsers add by themselves: a cookie, HTTP Basic, a
   * client certificate. A browser always sends an `Origin`; behind a proxy that drops it, `allowedOrigins` holds nobody up.
   * Programs that authenticate by cookie must then send one, too. [L-1.7]
   * @default false
   */
  readonly requireOrigin?: boolean;
  /** Lets pages of any origin connect, with their visitors' cookies. */
  readonly dangerouslyAllowAnyOrigin?: boolean;
  /** Lets everybody connect without a guard. `user` is `null` then unless a guard sets one. */
  readonly dangerouslyPublic?: boolean;
  /**
   * Starts the server on Bun, which it refuses otherwise. With Bun 1.4 a reader that falls behind more than the kernel's buffers
   * gets nothing from then on, and is not told; `maxFragments` of `ws` and its limit of pings that wait are not there.
   */
  readonly dangerouslyAllowBun?: boolean;
  /** For `JwtConnectionGuard`. */
  readonly jwt?: JwtConnectionOptions;
  /** For `SessionConnectionGuard`. */
  readonly session?: SessionConnectionOptions;
  /** Milliseconds until an undecided upgrade is refused with 503. @default 5000 */
  readonly upgradeTimeoutMs?: number;
  /** Upgrades that may be undecided at a time; the next one is refused with 503. @default 1000 */
  readonly maxPendingUpgrades?: number;
  /**
   * Upgrades of one address (IPv6: of one /64) that may be undecided at a time; the next one is refused with 429. 0 is no
   * limit. [L-9.13]
   * @default 20 for public addresses, no limit for private ones, where proxies are
   */
  readonly maxPendingUpgradesPerAddress?: number;
  /** Connections in all; the next one is refused with 503. 0 is no limit. @default 0 */
  readonly maxConnections?: number;
  /** Connections of one user, also those whose peer has silently gone; the next one is refused with 429. 0 is no limit. @default 0 */
  readonly maxConnectionsPerUser?: number;
  /** Connections of one address (IPv6: of one /64); the next one is refused with 429. 0 is no limit. @default 0 */
  readonly maxConnectionsPerAddress?: number;
  /**
   * Whose `X-Forwarded-For` says the client's address: the addresses and networks of your proxies (`['10.0.0.0/8']`), or
   * how many proxies every client comes through. It is read from its end, and by nobody else believed. [L-9.14]
   * @default nobody's: the client's address is the socket's
   */
  readonly trustedProxies?: number | readonly string[];
  /**
   * Whether the proxies of `trustedProxies` open every connection with a header of the PROXY protocol, version 1 or 2
   * (HAProxy `send-proxy-v2`, nginx `proxy_protocol on`). It names the client, and counts as one proxy. A connection of
   * theirs without one is refused, as is one with a header from any other address. With `port: 'app'` this holds for all
   * connections of the application's server. [L-9.14]
   * @default false, and such a header is refused with a warning
   */
  readonly proxyProtocol?: boolean;
  /** Milliseconds between pings to one connection. @default 25000 */
  readonly pingIntervalMs?: number;
  /** Milliseconds after a ping in which something must be heard. @default 10000 */
  readonly pongTimeoutMs?: number;
  /** Bytes that may wait for one connection before it is closed with 1008. @default 1048576 */
  readonly backPressureThresholdBytes?: number;
  /**
   * Compresses publications for clients that offer permessage-deflate, once for all of them: those of at least
   * `thresholdBytes`, 1024 by default. Not for topics whose publications mix secrets with what a stranger may choose: the
   * size would tell the secrets (CRIME, BREACH). A client that sends compressed messages keeps 11 to 44 KB of memory.
   * @default false
   */
  readonly compression?: boolean | { readonly thresholdBytes?: number };
  /**
   * Milliseconds that publications are gathered before they go out in one write, for topics that do not say.
   * @default 0, at the end of the tick
   */
  readonly flushMs?: number;
  /** Messages that may wait for one connection, or for one rate of a topic, before it is closed with 1008. @default 4096 */
  readonly maxQueuedMessages?: number;
  /** Milliseconds that a message may wait for a connection that does not read, before it is closed with 1008. @default 10000 */
  readonly maxQueueAgeMs?: number;
  /**
   * Bytes that may wait for all connections together; beyond it those with most waiting are closed with 1008. What many
   * wait for is counted for each of them, though it is in memory once; for a rate, and for pending subscribes, once a topic.
   * @default 268435456
   */
  readonly maxQueuedBytesTotal?: number;
  /** Milliseconds that a shutdown waits for the peers. @default 20000 */
  readonly drainTimeoutMs?: number;
  /** Largest message from a peer, in bytes; more is closed with 1009. @default 65536 */
  readonly maxMessageBytes?: number;
  /** Topics that one connection may have. @default 128 */
  readonly maxTopicsPerConnection?: number;
  /**
   * Messages of one connection that may wait for their turn before reading pauses; one with many topics counts as one for
   * every 16 of them.
   * @default 64
   */
  readonly maxWaitingMessages?: number;
  /**
   * How fast one connection may send; what is above it is answered `rate-limited`, and who goes on far above it is closed
   * with 4002. [L-9.10] [L-9.11]
   */
  readonly inboundRate?: InboundRateOptions;
  /**
   * How much the answers to subscribes may hold for one user of this instance, on all connections together, and for each
   * connection without a user: recovered publications and snapshots. Above it a `subscribe` is answered `rate-limited`.
   * One answer of any size always goes out. [L-9.18]
   */
  readonly replayRate?: ReplayRateOptions;
  /** Lets every connection send as fast as it can. */
  readonly dangerouslyUnlimitedInbound?: boolean;
  /**
   * Milliseconds until a right that has not been answered for is `unavailable`: the client tries again. A question about a
   * credential or a session has as long. @default 5000
   */
  readonly authorizationTimeoutMs?: number;
  /** Milliseconds that a connection whose credential has expired has for a new one before it is closed with 4501. @default 60000 */
  readonly credentialGraceMs?: number;
  /**
   * Milliseconds in which every subscription's `canSubscribe` is asked again, spread evenly; a slow check stretches it. A
   * revocation that nobody heard of ends within it. 0 turns it off.
   * @default 60000
   */
  readonly authorizationRecheckMs?: number;
  /** Milliseconds after which another instance on the same engine that was not heard of is gone. @default 6000 */
  readonly instanceTimeoutMs?: number;
  /** Milliseconds until a snapshot that has not come fails. @default 10000 */
  readonly snapshotTimeoutMs?: number;
  /**
   * Bytes of JSON text of the largest snapshot. A larger one is answered `limit-exceeded`, and there is no subscription then.
   * A reader at 16 KiB a second has the default after 34 minutes. [L-6.8]
   * @default 33554432, the default of `replayRate.byteBurst`
   */
  readonly maxSnapshotBytes?: number;
  /**
   * Milliseconds between two comparisons of all positions with the broker's, for losses that nothing else shows; 0 for none.
   * @default 30000
   */
  readonly positionCheckIntervalMs?: number;
  /**
   * Lets publications of the application wait while the broker is away, instead of rejecting with `unavailable` at once:
   * so many, so many bytes of JSON text, for so many milliseconds each; 1000, 1048576 and 5000 by default. They are sent in
   * their order once it is back. Publications of clients never wait.
   * @default none wait
   */
  readonly publishQueue?: Partial<PublishQueueLimits>;
  /**
   * Whether the application's global guards, pipes and interceptors (`APP_GUARD`, `useGlobalGuards()` and so on) run on the
   * messages of live connections, also on the protocol's own. They are mostly written for HTTP requests. Global guards run
   * at the upgrade in any case; those that a handler or its class names (`@UseGuards()` and so on) run on its messages in
   * any case.
   * @default false, with a warning at the start where handlers of your own may rely on them
   */
  readonly globalEnhancersOnMessages?: boolean;
  /** Prefix of the metrics' names. @default 'processor_live' */
  readonly metricsPrefix?: string;
  /** Called after a connection has ended and left the registry. A throw, or a rejection, is logged. */
  readonly onClose?: (connection: LiveConnection, code: number, reason: string) => void;
}
