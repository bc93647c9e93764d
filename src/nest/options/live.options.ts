import type { LiveConnection } from '../../core/ports/connection.js';
import type { PublishQueueLimits } from '../../core/ports/limits.js';
import type { Broker } from '../../core/ports/broker.js';
import type { SendBatch } from '../../core/ports/socket.js';
import type { JwtConnectionOptions } from './jwt-connection.options.js';
import type { LiveAdmissionOptions } from './live-admission.options.js';
import type { LiveContractOptions } from './live-contract.options.js';
import type { InboundRateOptions, ReplayRateOptions } from './live-rate.options.js';
import type { PersonalTopicOptions } from './personal-topic.options.js';
import type { SessionConnectionOptions } from './session-connection.options.js';

/**
 * Options of `LiveModule.forRoot`. All have safe defaults except the guards, which are set beside
 * these.
 */
export interface LiveModuleOptions extends LiveAdmissionOptions, LiveContractOptions {
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
   * Opens a second door beside the WebSocket, for networks that block it: Server-Sent Events by
   * `GET` of `path` with `/events`, and messages by `POST` to `path` with `/messages`. The same
   * guards, origins and limits apply to both; guards also run for each `POST`. [L-12.1]
   *
   * @default false
   */
  readonly sse?: boolean;
  /**
   * Stores the streams and carries them between instances, such as `new RedisBroker({ url })` from
   * `nestjs-live/redis`. Each application needs its own, and closes it; a function is called once,
   * when the application is assembled.
   *
   * @default the memory of this process
   */
  readonly broker?: Broker | (() => Broker);
  /**
   * `sendBatch` of the package `nestjs-live-native`: writes to plain TCP sockets in one native call
   * for many. Other sockets, full ones and errors go through Node's streams, as all do without it.
   *
   * @default none; the package exports `undefined` where it has no binary
   */
  readonly sendBatch?: SendBatch | undefined;
  /** Name of this instance in welcomes and metrics. @default a random one */
  readonly instanceId?: string;
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
