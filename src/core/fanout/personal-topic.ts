import { createHash } from 'node:crypto';
import type { HistoryRules } from '../ports/broker.js';
import type { LiveUser } from '../ports/identity.js';
import { defaultHistory } from '../ports/limits.js';
import type { Policy, TopicRules } from '../ports/policy.js';
import { maxEpochLength, type Position } from '../../protocol/position.js';
import { personalTopic } from '../../protocol/topic-name.js';

/** Neither clients nor the application can name a topic that begins like this. [L-3.1] */
const storedPrefix = `${personalTopic}/`;

/**
 * Name under which the broker stores the personal topic of a user. Hashed, so that an id of any
 * characters and length makes a short name that does not show it.
 */
export function storedTopicOf(userId: string): string {
  // UTF-8 would make all unpaired surrogates equal, and so mix up users.
  return storedPrefix + createHash('sha256').update(userId, 'utf16le').digest('base64url');
}

/** Name under which the broker stores the topic that a connection of this user names. */
export function storedNameOf(named: string, user: LiveUser | null): string {
  return named === personalTopic && user !== null ? storedTopicOf(user.id) : named;
}

/**
 * Name of a stored topic in messages to clients. A personal topic has one user's subscribers, so
 * all of them share its frames like those of any topic.
 */
export function wireNameOf(stored: string): string {
  return isPersonal(stored) ? personalTopic : stored;
}

/** Whether a stored topic is a personal topic. */
export function isPersonal(stored: string): boolean {
  return stored.startsWith(storedPrefix);
}

/** Characters of a user's hash in epochs. */
const markLength = 8;

/**
 * Epoch of a topic for clients: for a personal topic, the engine's with a mark of the user. Engines
 * have one epoch for many topics, so a position of one user would fit the topic of another.
 */
export function markedEpoch(stored: string, epoch: string): string {
  const mark = markOf(stored);
  return hasRoom(epoch, mark) ? epoch + mark : epoch;
}

/** The engine's position for a marked one, or `undefined` for a position of another user. */
export function unmarkedPosition(stored: string, position: Position): Position | undefined {
  const mark = markOf(stored);
  const { epoch } = position;
  if (epoch.endsWith(mark)) return { ...position, epoch: epoch.slice(0, epoch.length - mark.length) };
  return hasRoom(epoch, mark) ? undefined : position;
}

function markOf(stored: string): string {
  const { length } = storedPrefix;
  return isPersonal(stored) ? `~${stored.slice(length, length + markLength)}` : '';
}

function hasRoom(epoch: string, mark: string): boolean {
  return epoch.length + mark.length <= maxEpochLength;
}

/** Adds the personal topics to the application's topics. [L-3.15] */
export class PersonalPolicy implements Policy {
  private readonly rules: TopicRules;

  constructor(
    private readonly application: Policy,
    history: HistoryRules = defaultHistory,
  ) {
    this.rules = { canSubscribe: (user) => user !== null, canPublish: () => false, history };
  }

  isRefusal(error: unknown): boolean {
    return this.application.isRefusal?.(error) === true;
  }

  rulesFor(topic: string): TopicRules | undefined {
    if (wireNameOf(topic) !== personalTopic) return this.application.rulesFor(topic);
    const { checkPersonalData: checkData } = this.application;
    return checkData === undefined ? this.rules : { ...this.rules, checkData };
  }
}
