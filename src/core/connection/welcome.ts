import type { WelcomeLimits } from '../../protocol/messages.js';
import type { Connection } from './connection.js';
import type { WelcomeAnswer } from '../frame/message-text.js';
import type { LiveLimits } from '../ports/limits.js';
import type { Clock } from '../ports/clock.js';

/** Milliseconds of a return's spread; between them it grows with the square root of the connections. */
const spread = { minMs: 1_000, perRootMs: 300, maxMs: 30_000 } as const;

/** The limits that a welcome names. [L-9.3] */
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
  };
}

/** What a welcome says to one connection. [L-1.11] */
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
 * How far apart this many clients should come back. The root keeps the wait of a few short. Clients that came early
 * heard of fewer; with it they still spread well. [L-10.5]
 */
export function reconnectSpreadMs(connections: number): number {
  const { minMs, perRootMs, maxMs } = spread;
  return Math.round(Math.min(maxMs, Math.max(minMs, perRootMs * Math.sqrt(connections))));
}
