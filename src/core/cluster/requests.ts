import { CloseCode } from '../../protocol/codes.js';
import { LiveError } from '../../protocol/live.error.js';
import { isClientTopic } from '../../protocol/topic-name.js';
import type { CountTopic, DisconnectUser, Reauthorize, UnsubscribeUser } from './signal.js';
import { isCloseCode, isUser, maxReasonLength, maxUserIdLength } from './read-signal.js';

/** How `LiveService.disconnectUser` closes connections. */
export interface DisconnectOptions {
  /** 4000 to 4499 allow the client to reconnect, 4500 to 4999 do not [L-10.3]. @default 4503 */
  readonly code?: number;
  /** At most 123 bytes of UTF-8 are sent [L-10.4]. @default 'disconnected by the application' */
  readonly reason?: string;
}

/** How `LiveService.unsubscribeUser` ends subscriptions. */
export interface UnsubscribeOptions {
  /** Sent to the client, at most 123 characters. @default 'unsubscribed by the application' */
  readonly reason?: string;
}

/** Which subscriptions to check again: a user's, a topic's, or a user's to a topic. */
export type ReauthorizeTarget =
  | {
      /** The user's id. */
      readonly user: string;
      /** Only subscriptions to this topic. @default all topics of the user */
      readonly topic?: string;
    }
  | {
      /** Only this user's subscription. @default all users */
      readonly user?: string;
      /** Name of the topic. */
      readonly topic: string;
    };

/**
 * Converts arguments of the application into commands. Each throws a LiveError `validation-failed`
 * that names the problem.
 */
export const requests = {
  disconnectUser(user: string, { code, reason }: DisconnectOptions = {}): DisconnectUser {
    if (code !== undefined && !isCloseCode(code)) throw wrong('The close code must be 4000 to 4999');
    return {
      verb: 'disconnect-user',
      user: userOf(user),
      code: code ?? CloseCode.disconnected,
      reason: reasonOf(reason, 'disconnected by the application'),
    };
  },

  unsubscribeUser(user: string, topic: string, { reason }: UnsubscribeOptions = {}): UnsubscribeUser {
    return {
      verb: 'unsubscribe-user',
      user: userOf(user),
      topic: topicOf(topic),
      reason: reasonOf(reason, 'unsubscribed by the application'),
    };
  },

  reauthorize({ user, topic }: Partial<ReauthorizeTarget> = {}): Reauthorize {
    if (user === undefined && topic === undefined) throw wrong('reauthorize needs a user, a topic, or both');
    return {
      verb: 'reauthorize',
      ...(user !== undefined && { user: userOf(user) }),
      ...(topic !== undefined && { topic: topicOf(topic) }),
    };
  },

  count(topic: string): CountTopic {
    return { verb: 'count', topic: topicOf(topic) };
  },
} as const;

/** @throws LiveError `validation-failed` */
export function userOf(user: unknown): string {
  if (isUser(user)) return user;
  throw wrong(`The user id must be a string of 1 to ${String(maxUserIdLength)} characters`);
}

function topicOf(topic: unknown): string {
  if (isClientTopic(topic)) return topic;
  throw wrong('The topic name is invalid [L-3.1]');
}

function reasonOf(reason: unknown, fallback: string): string {
  if (reason === undefined) return fallback;
  if (typeof reason === 'string') return reason.slice(0, maxReasonLength);
  throw wrong('The reason must be a string');
}

function wrong(message: string): LiveError {
  return new LiveError('validation-failed', message);
}
