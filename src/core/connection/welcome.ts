import type { WelcomeLimits } from '../../protocol/messages.js';
import type { Connection } from './connection.js';
import type { WelcomeAnswer } from '../frame/message-text.js';
import type { LiveLimits } from '../ports/limits.js';
import { idempotencyMs } from '../ports/broker.js';
import type { Clock } from '../ports/clock.js';

/**
 * Bounds of the reconnect spread in milliseconds. In between it grows with the square root of the
 * connections.
 */
const spread = { minMs: 1_000, perRootMs: 300, maxMs: 30_000 } as const;

/** The limits sent in a welcome. [L-9.3] */
export function welcomeLimits(limits: LiveLimits): WelcomeLimits {
  const { maxMessageBytes, pingIntervalMs, pongTimeoutMs } = limits;
  const maxTopics = limits.maxTopicsPerConnection;
  const answerTimeoutMs = limits.authorizationTimeoutMs + limits.snapshotTimeoutMs;
  return {
    maxMessageBytes,
    maxTopics,
    maxTopicsPerMessage: maxTopics,
    pingIntervalMs,
    pongTimeoutMs,
    answerTimeoutMs,
    idempotencyMs,
  };
}

/** The fields of a welcome that differ per connection. [L-1.11] */
export function welcomeAnswer(connection: Connection, clock: Clock, connections: number): WelcomeAnswer {
  const { id: connectionId, user, expiresAt } = connection;
  return {
    connectionId,
    userId: user?.id,
    expiresAt,
    expiresInMs: expiresAt === undefined ? undefined : Math.max(0, expiresAt - clock.wallMs()),
    reconnectSpreadMs: reconnectSpreadMs(connections),
  };
}

/**
 * Window over which this many clients should reconnect. The square root keeps it short for few
 * clients. Clients that connected early were given a shorter one, but still spread well. [L-10.5]
 */
export function reconnectSpreadMs(connections: number): number {
  const { minMs, perRootMs, maxMs } = spread;
  return Math.round(Math.min(maxMs, Math.max(minMs, perRootMs * Math.sqrt(connections))));
}
