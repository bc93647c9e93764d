import type { Registry } from '../connection/registry.js';
import type { Clock } from '../ports/clock.js';
import type { Policy } from '../ports/policy.js';
import { presenceTopicOf } from '../../protocol/topic-name.js';
import type { AuthorizationReview } from '../verbs/authorization-review.js';
import { endSubscription } from '../verbs/unsubscribe.js';
import { eachAtMost } from '../verbs/each-at-most.js';
import type { Reauthorize } from './signal.js';
import type { CarryOut } from './commands.js';
import type { RecentDisconnects } from './recent-disconnects.js';

export interface CarryOutParts {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly rights: AuthorizationReview;
  readonly disconnects: RecentDisconnects;
  readonly policy: Policy;
}

/**
 * Executes commands on one instance. Connections whose handshake started after a command are not
 * affected.
 */
export function carryOutOn(parts: CarryOutParts): CarryOut {
  const { registry, clock, disconnects } = parts;
  const meant = (user: string, ageMs: number) =>
    registry.ofUser(user).filter(({ handshakeStartedMs }) => handshakeStartedMs <= clock.now() - ageMs);
  return (command, ageMs) => {
    switch (command.verb) {
      case 'disconnect-user': {
        const connections = meant(command.user, ageMs);
        disconnects.add(command, clock.now() - ageMs);
        for (const connection of connections) connection.close(command.code, command.reason);
        return connections.length;
      }
      case 'unsubscribe-user': {
        const topics = withPresence(command.topic, parts);
        const ended = meant(command.user, ageMs).flatMap((connection) =>
          topics.filter((topic) => endSubscription(connection, topic, 'forbidden', command.reason)),
        );
        return ended.length;
      }
      case 'reauthorize':
        return reauthorize(command, parts);
      case 'count':
        return registry.ofTopic(command.topic).length;
    }
  };
}

/** A topic and its presence topic, which needs the same authorization. [L-11.1] */
function withPresence(topic: string, { policy }: CarryOutParts): string[] {
  const companion = presenceTopicOf(topic);
  if (companion === undefined || policy.rulesFor(companion)?.tellsPresenceOf === undefined) return [topic];
  return [topic, companion];
}

/** Maximum concurrent checks of one command, to protect the application's store. */
const checksAtATime = 250;

/**
 * Fails closed: the application announced a change, so a check without an answer ends the
 * subscription. [L-3.12]
 */
async function reauthorize({ user, topic }: Reauthorize, parts: CarryOutParts): Promise<number> {
  const { registry, rights, clock } = parts;
  const topics = topic === undefined ? undefined : withPresence(topic, parts);
  const connections = user === undefined ? [...registry] : registry.ofUser(user);
  // Late answers about topics that are not subscribed now predate the change as well.
  for (const connection of connections) connection.lateAnswers = undefined;
  const subscriptions = connections.flatMap((connection) => {
    const asked = topics?.filter((each) => connection.has(each)) ?? connection.memberTopics;
    return asked.map((each) => ({ connection, topic: each }));
  });
  let ended = 0;
  await eachAtMost(checksAtATime, subscriptions, clock, async ({ connection, topic }) => {
    if (await rights.reviewTopic(connection, topic, 'end')) ended += 1;
  });
  return ended;
}
