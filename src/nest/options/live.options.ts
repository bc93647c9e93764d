import type { LiveConnection } from '../../core/ports/connection.js';
import type { PublishQueueLimits } from '../../core/ports/limits.js';
import type { Broker, HistoryRules } from '../../core/ports/broker.js';
import type { JwtConnectionOptions } from './jwt-connection.options.js';
import type { SessionConnectionOptions } from './session-connection.options.js';

/** How fast one connection may send: messages and WebSocket pings, and their bytes. */
export interface InboundRateOptions {
  /** Messages and pings per second, on average. @default 20 */
  readonly messagesPerSecond?: number;
  /**
   * Messages that may arrive at once after a pause.
   *
   * @default the messages of 2 seconds, plus one `subscribe` for each of `maxTopicsPerConnection`:
   *   168. A client that reconnects subscribes to all its topics at once.
   */
  readonly messageBurst?: number;
  /** Bytes of messages per second, on average. @default 65536 */
  readonly bytesPerSecond?: number;
  /**
   * Bytes that may arrive at once after a pause, at least `maxMessageBytes`.
   *
   * @default the bytes of a second, plus one message of `maxMessageBytes`, plus 512 bytes for each
   *   of `maxTopicsPerConnection`: 196608
   */
  readonly byteBurst?: number;
}

/**
 * How many bytes the answers to one user's subscribes may contain: recovered publications and
 * snapshots, as JSON text.
 */
export interface ReplayRateOptions {
  /** Bytes per second, on average. @default 2097152 */
  readonly bytesPerSecond?: number;
  /**
   * Bytes that may be sent at once after a pause.
   *
   * @default 33554432: a hundred topics with a snapshot of 300 KB each, when a client reconnects
   */
  readonly byteBurst?: number;
}

/** Options of the personal topics, which clients name `$user`. */
export interface PersonalTopicOptions {
  /**
   * How much of each user's topic is kept for connections that come back: publications, their age
   * in milliseconds, and bytes of JSON text. Integers from 0.
   *
   * @default `{ size: 100, ttlMs: 300000, maxBytes: 1048576 }`
   */
  readonly history?: Partial<HistoryRules>;
}

/**
 * Options of `LiveModule.forRoot`. All have safe defaults except the guards, which are set beside
 * these.
 */
export interface LiveModuleOptions {
  /**
   * Port of the live server's own HTTP server; `'app'` shares the host application's server; 0
   * picks a free port.
   *
   * @default 8081
   */
  readonly port?: number | 'app';
  /** Address that the own server binds to. @default '127.0.0.1' */
  readonly host?: string;
  /**
   * Unix socket of the own server, instead of `host` and `port`: an absolute path without `:`, at
   * most 103 bytes. A socket file left by a dead process is removed. Everyone who may write to the
   * file can connect; its mode follows the umask. A Unix socket has no address, so `trustedProxies`
   * must be a number.
   *
   * @default none, the server has a port
   */
  readonly socketPath?: string;
  /** Path of the WebSocket endpoint. @default '/live' */
  readonly path?: string;
  /**
   * Stores the streams and carries them between instances, such as `new RedisBroker({ url })` from
   * `nestjs-live/redis`. Each application needs its own, and closes it; a function is called once,
   * when the application is assembled.
   *
   * @default the memory of this process
   */
  readonly broker?: Broker | (() => Broker);
  /** Name of this instance in welcomes and metrics. @default a random one */
  readonly instanceId?: string;
  /**
   * Origins of pages that may connect, exactly as a browser sends them (`https://app.example`), or
   * `https://*.app.example` for all subdomains of one or more labels, without the domain itself. A
   * page on any of these origins can use its visitors' cookies here, so list no domain with
   * subdomains of strangers. Without this option, a browser that sends cookies, HTTP Basic or a
   * client certificate is refused. [L-1.7]
   */
  readonly allowedOrigins?: readonly string[];
  /**
   * Refuses handshakes without `Origin` but with a credential that browsers add by themselves: a
   * cookie, HTTP Basic, a client certificate. Browsers always send an `Origin`, but behind a proxy
   * that drops it `allowedOrigins` has no effect. Programs that authenticate by cookie must then
   * also send one. [L-1.7]
   *
   * @default false
   */
  readonly requireOrigin?: boolean;
  /** Lets pages of any origin connect with their visitors' cookies. */
  readonly dangerouslyAllowAnyOrigin?: boolean;
  /** Accepts every client without a guard. `user` is then `null` unless a guard sets one. */
  readonly dangerouslyPublic?: boolean;
  /**
   * Starts the server on Bun, which is refused otherwise. On Bun 1.4 a reader that once falls
   * behind the kernel's buffers silently receives nothing more, and `maxFragments` and the ping
   * limit of `ws` are missing.
   */
  readonly dangerouslyAllowBun?: boolean;
  /** Options of `JwtConnectionGuard`. */
  readonly jwt?: JwtConnectionOptions;
  /** Options of `SessionConnectionGuard`. */
  readonly session?: SessionConnectionOptions;
  /** Milliseconds until an undecided upgrade is refused with 503. @default 5000 */
  readonly upgradeTimeoutMs?: number;
  /** Maximum undecided upgrades; further ones are refused with 503. @default 1000 */
  readonly maxPendingUpgrades?: number;
  /**
   * Maximum undecided upgrades per address (IPv6: per /64); further ones are refused with 429. 0
   * means no limit. [L-9.13]
   *
   * @default 20 for public addresses, no limit for private ones, where proxies are
   */
  readonly maxPendingUpgradesPerAddress?: number;
  /** Maximum connections; further ones are refused with 503. 0 means no limit. @default 0 */
  readonly maxConnections?: number;
  /**
   * Maximum connections per user, including those whose peer has silently gone; further ones are
   * refused with 429. 0 means no limit.
   *
   * @default 0
   */
  readonly maxConnectionsPerUser?: number;
  /**
   * Maximum connections per address (IPv6: per /64); further ones are refused with 429. 0 means no
   * limit.
   *
   * @default 0
   */
  readonly maxConnectionsPerAddress?: number;
  /**
   * Whose `X-Forwarded-For` to trust for the client's address: the addresses and networks of your
   * proxies (`['10.0.0.0/8']`), or the number of proxies that every client passes. The header is
   * read from its end. [L-9.14]
   *
   * @default no one's: the client's address is the socket's
   */
  readonly trustedProxies?: number | readonly string[];
  /**
   * Whether the proxies in `trustedProxies` start every connection with a PROXY protocol header,
   * version 1 or 2 (HAProxy `send-proxy-v2`, nginx `proxy_protocol on`). It names the client and
   * counts as one proxy. Their connections without a header are refused, as are headers from other
   * addresses. With `port: 'app'` this applies to all connections of the application's server.
   * [L-9.14]
   *
   * @default false, and such a header is refused with a warning
   */
  readonly proxyProtocol?: boolean;
  /** Milliseconds between pings to one connection. @default 25000 */
  readonly pingIntervalMs?: number;
  /** Milliseconds after a ping within which the peer must send something. @default 10000 */
  readonly pongTimeoutMs?: number;
  /** Bytes that may be queued for one connection before it is closed with 1008. @default 1048576 */
  readonly backPressureThresholdBytes?: number;
  /**
   * Compresses publications of at least `thresholdBytes` (1024 by default), once for all clients
   * that offer permessage-deflate. Do not use it for topics whose publications mix secrets with
   * input of strangers: the size would reveal the secrets (CRIME, BREACH). A client that sends
   * compressed messages costs 11 to 44 KB of memory.
   *
   * @default false
   */
  readonly compression?:
    | boolean
    | {
        /** Smallest publication to compress, in bytes of the message. @default 1024 */
        readonly thresholdBytes?: number;
      };
  /**
   * Milliseconds for which publications are gathered into one write, for topics without their own
   * setting.
   *
   * @default 0, at the end of the tick
   */
  readonly flushMs?: number;
  /**
   * Messages that may be queued for one connection, or for one rate of a topic, before it is closed
   * with 1008.
   *
   * @default 4096
   */
  readonly maxQueuedMessages?: number;
  /**
   * Milliseconds that a message may be queued for a connection that does not read, before it is
   * closed with 1008.
   *
   * @default 10000
   */
  readonly maxQueueAgeMs?: number;
  /**
   * Bytes that may be queued for all connections together; beyond it the connections with the most
   * queued bytes are closed with 1008. Data queued for many connections counts for each of them,
   * although it is in memory once; for a rate, and for pending subscribes, it counts once per
   * topic.
   *
   * @default 268435456
   */
  readonly maxQueuedBytesTotal?: number;
  /** Milliseconds after which a drain terminates the remaining connections. @default 20000 */
  readonly drainTimeoutMs?: number;
  /**
   * Milliseconds over which a drain spreads the departures of the clients, about 200 a second if
   * they are few; less if `drainTimeoutMs` does not allow it. With 0 all leave at once. [L-10.6]
   *
   * @default 10000
   */
  readonly drainWindowMs?: number;
  /**
   * Milliseconds between "not ready" and the drain, in which everything continues, so that load
   * balancers stop sending new clients here.
   *
   * @default 0
   */
  readonly drainNoticeMs?: number;
  /**
   * Largest message from a peer, in bytes; a larger one closes the connection with 1009.
   *
   * @default 65536
   */
  readonly maxMessageBytes?: number;
  /** Maximum topics per connection. @default 128 */
  readonly maxTopicsPerConnection?: number;
  /**
   * Messages of one connection that may wait for their turn before reading pauses. A message with
   * many topics counts as one per 16 of them.
   *
   * @default 64
   */
  readonly maxWaitingMessages?: number;
  /**
   * How fast one connection may send. Messages above the rate are answered `rate-limited`; a client
   * that stays far above it is closed with 4002. [L-9.10] [L-9.11]
   */
  readonly inboundRate?: InboundRateOptions;
  /**
   * Limits the bytes of recovered publications and snapshots in answers to subscribes: per user on
   * all connections of this instance together, and per connection without a user. Above it a
   * `subscribe` is answered `rate-limited`. One answer of any size is always sent. [L-9.18]
   */
  readonly replayRate?: ReplayRateOptions;
  /** Lets every connection send as fast as it can. */
  readonly dangerouslyUnlimitedInbound?: boolean;
  /**
   * Milliseconds until an unanswered authorization becomes `unavailable`, so that the client
   * retries. Checks of a credential or a session have the same timeout.
   *
   * @default 5000
   */
  readonly authorizationTimeoutMs?: number;
  /**
   * Milliseconds to renew an expired credential before its connection is closed with 4501.
   *
   * @default 60000
   */
  readonly credentialGraceMs?: number;
  /**
   * Milliseconds within which every subscription's `canSubscribe` is run again, spread evenly; slow
   * checks take longer. A revocation that was never announced takes effect within this time. 0
   * turns it off.
   *
   * @default 60000
   */
  readonly authorizationRecheckMs?: number;
  /**
   * Milliseconds without a sign of life after which another instance on the same engine counts as
   * gone.
   *
   * @default 6000
   */
  readonly instanceTimeoutMs?: number;
  /** Milliseconds until a snapshot times out. @default 10000 */
  readonly snapshotTimeoutMs?: number;
  /**
   * Maximum bytes of a snapshot, as JSON text. A larger one is answered with `limit-exceeded` and
   * without a subscription. A client that reads 16 KiB a second takes 34 minutes for the default.
   * [L-6.8]
   *
   * @default 33554432, the default of `replayRate.byteBurst`
   */
  readonly maxSnapshotBytes?: number;
  /**
   * Milliseconds between comparisons of all positions with the broker's, to detect losses that
   * nothing else reveals; 0 for none.
   *
   * @default 30000
   */
  readonly positionCheckIntervalMs?: number;
  /**
   * Lets publications of the application wait while the broker is unavailable, instead of rejecting
   * with `unavailable` at once. Limits their number, their bytes of JSON text, and the milliseconds
   * each may wait; 1000, 1048576 and 5000 by default. They are sent in order once the broker is
   * back. Publications of clients never wait.
   *
   * @default publications do not wait
   */
  readonly publishQueue?: Partial<PublishQueueLimits>;
  /** The personal topics of users, which `LiveService.toUser` publishes to [L-3.15]. */
  readonly personal?: PersonalTopicOptions;
  /**
   * Whether the application's global guards, pipes and interceptors (`APP_GUARD`,
   * `useGlobalGuards()` and so on) run on the messages of live connections, including the
   * protocol's own. Most are written for HTTP requests. Global guards always run at the upgrade;
   * those of a handler or its class (`@UseGuards()` and so on) always run on its messages.
   *
   * @default false, with a warning at the start if your own handlers may rely on them
   */
  readonly globalEnhancersOnMessages?: boolean;
  /** Prefix of the metrics' names. @default 'processor_live' */
  readonly metricsPrefix?: string;
  /**
   * Called after a connection has ended and left the registry. An exception or rejection is logged.
   */
  readonly onClose?: (connection: LiveConnection, code: number, reason: string) => void;
}
