import { MemoryBroker } from '../../src/brokers/memory/memory-broker.js';
import { LocalSubscription, type Sink } from '../../src/client/local-subscription.js';
import { ClientTopic } from '../../src/client/client-topic.js';
import { Connection } from '../../src/core/connection/connection.js';
import { Drain } from '../../src/core/connection/drain.js';
import type { ConnectionIdentity, LiveUser } from '../../src/core/ports/identity.js';
import { CredentialWatch } from '../../src/core/connection/credential-watch.js';
import { Registry } from '../../src/core/connection/registry.js';
import { HoldBuffer } from '../../src/core/fanout/hold-buffers.js';
import { Hub } from '../../src/core/fanout/hub.js';
import { Subscription } from '../../src/core/fanout/subscription.js';
import { Topic } from '../../src/core/fanout/topic.js';
import type { SharedFrame } from '../../src/core/frame/shared-frame.js';
import { Backlog } from '../../src/core/outbound/backlog.js';
import { Outbox } from '../../src/core/outbound/outbox.js';
import type { Broker, Publication, RecoveryLimits } from '../../src/core/ports/broker.js';
import { Inbox } from '../../src/core/inbound/inbox.js';
import type { Task } from '../../src/core/inbound/task.js';
import { Responder } from '../../src/core/inbound/responder.js';
import { FreshStart } from '../../src/core/stream/fresh-start.js';
import { LostFrames } from '../../src/core/stream/lost-frames.js';
import { HealingTopic } from '../../src/core/stream/healing-topic.js';
import { History } from '../../src/core/stream/history.js';
import { PositionCheck } from '../../src/core/stream/position-check.js';
import { type ReadingRun, Readings } from '../../src/core/stream/following.js';
import { Repair } from '../../src/core/stream/repair.js';
import { Resync } from '../../src/core/stream/resync.js';
import { Retry } from '../../src/core/stream/retry.js';
import type { SnapshotRun } from '../../src/core/fanout/snapshot-run.js';
import { Snapshots } from '../../src/core/stream/snapshots.js';
import { Authorizer, type Right } from '../../src/core/verbs/authorizer.js';
import { PendingSubscribe } from '../../src/core/connection/pending-subscribe.js';
import { AuthorizationReview, type Undecided } from '../../src/core/verbs/authorization-review.js';
import type { Position } from '../../src/protocol/position.js';
import { Lineages } from '../../src/testing/lineages.js';
import { disable, type PlantedBug, replace } from './plant.js';
import { bugsOfHandovers } from './planted-bugs.handover.js';
import { bugsOfKeys } from './planted-bugs.keys.js';
import { bugsOfPublishing } from './planted-bugs.publish.js';
import { bugsOfLives } from './planted-bugs.lives.js';

/** Asks the application about a right. */
type Question = (user: LiveUser | null) => unknown;

interface TopicInside {
  readonly name: string;
  readonly holds: Set<HoldBuffer>;
  deliver(offset: number, frame: SharedFrame): number;
}

interface HubInside {
  readonly broker: Broker;
  readonly topics: Map<string, TopicInside>;
}

const { add } = HoldBuffer.prototype;
const nothing = (): void => {};

export const plantedBugs: readonly PlantedBug[] = [
  {
    name: 'publications made while the position is read are not held',
    shows: ['order', 'behind', 'answer'],
    plant: () =>
      replace<Readings, Parameters<Readings['join']>, ReadingRun>(
        Readings,
        'join',
        (join) =>
          function (topic, since) {
            const run = join.call(this, topic, since);
            const { hold } = run;
            hold.add = nothing;
            const goOn = (): void => void (hold.add = add);
            run.result.then(goOn, goOn);
            return run;
          },
      ),
  },
  {
    name: 'held publications are dropped',
    shows: ['order', 'behind', 'answer'],
    plant: () => disable(HoldBuffer, 'add'),
  },
  {
    name: 'held publications of a lost stream are sent as those of the new one',
    shows: ['data', 'order', 'recovery', 'behind'],
    plant: () => disable(HoldBuffer, 'follows', true),
  },
  {
    name: 'held publications are released when the snapshot begins',
    shows: ['order', 'behind', 'answer'],
    plant: () =>
      replace<Snapshots, Parameters<Snapshots['join']>, SnapshotRun | undefined>(
        Snapshots,
        'join',
        (join) =>
          function (topic, rules) {
            const run = join.call(this, topic, rules);
            if (run) run.hold.add = nothing;
            return run;
          },
      ),
  },
  {
    name: 'a recovery repeats the last publication that was seen',
    shows: ['order'],
    plant: () =>
      replace<History, [number, number, RecoveryLimits], readonly Publication[] | undefined>(
        History,
        'after',
        (after) =>
          function (offset, top, limits) {
            return (
              (offset > 0 && offset < top ? after.call(this, offset - 1, top, limits) : undefined) ??
              after.call(this, offset, top, limits)
            );
          },
      ),
  },
  {
    name: 'a late publication of the broker is sent again after the answer',
    shows: ['order'],
    plant: () =>
      replace<Topic, [Connection, string, number], Subscription>(
        Topic,
        'add',
        (add) =>
          function (connection, epoch) {
            return add.call(this, connection, epoch, 0);
          },
      ),
  },
  {
    name: 'an overflow of held publications is ignored',
    shows: ['order', 'behind', 'answer'],
    plant: () =>
      replace<HoldBuffer, [string, number, SharedFrame], void>(
        HoldBuffer,
        'add',
        (original) =>
          function (...args) {
            original.apply(this, args);
            this.overflowed = false;
          },
      ),
  },
  {
    name: 'publications are held without a limit',
    shows: ['bounds'],
    plant: () =>
      replace<HoldBuffer, [string, number, SharedFrame], void>(
        HoldBuffer,
        'add',
        (original) =>
          function (epoch, offset, frame) {
            const { publications } = this;
            if (publications.length === 0) original.call(this, epoch, offset, frame);
            else publications.push({ offset, frame });
          },
      ),
  },
  {
    name: 'an outbox waits for the end of the tick with any amount of data',
    shows: ['bounds'],
    plant: () => {
      let ticking = false;
      const restore = [
        replace<Outbox, [], void>(
          Outbox,
          'tick',
          (tick) =>
            function () {
              ticking = true;
              tick.call(this);
              ticking = false;
            },
        ),
        replace<Outbox, [], void>(
          Outbox,
          'flush',
          (flush) =>
            function () {
              if (ticking) flush.call(this);
            },
        ),
      ];
      return () => {
        for (const each of restore) each();
      };
    },
  },
  {
    name: 'a recovery has no limit',
    shows: ['bounds'],
    plant: () =>
      replace<History, [number, number, RecoveryLimits], readonly Publication[] | undefined>(
        History,
        'after',
        (after) =>
          function (offset, top) {
            return after.call(this, offset, top, { count: Infinity, bytes: Infinity });
          },
      ),
  },
  {
    name: 'recovered and held publications are sent before the answer',
    shows: ['unsubscribed', 'order'],
    plant: () =>
      replace<Connection, [string, string], void>(
        Connection,
        'sendText',
        (sendText) =>
          function (type, text) {
            if (type === 'subscribed') queueMicrotask(() => sendText.call(this, type, text));
            else sendText.call(this, type, text);
          },
      ),
  },
  {
    name: 'a recovery from a partly evicted history sends the remainder',
    shows: ['order', 'recovery'],
    plant: () =>
      replace<History, [number, number, RecoveryLimits], readonly Publication[] | undefined>(
        History,
        'after',
        (after) =>
          function (offset, top, limits) {
            for (let from = offset; from < top; from++) {
              const missed = after.call(this, from, top, limits);
              if (missed !== undefined) return missed;
            }
            return after.call(this, offset, top, limits);
          },
      ),
  },
  {
    name: 'a lost stream is recovered because its epoch is ignored',
    shows: ['recovery', 'order', 'answer', 'data', 'application'],
    plant: () =>
      replace<Lineages, [string, Position, Position], boolean>(
        Lineages,
        'has',
        () => (_topic, since, top) => since.offset <= top.offset,
      ),
  },
  {
    name: 'the position of a snapshot is taken after its provider ran',
    shows: ['snapshot'],
    plant: () =>
      replace<object, [string, () => unknown], Promise<object>>(
        Snapshots,
        'fromProvider',
        (fromProvider) =>
          async function (topic, provider) {
            const state = await provider();
            return fromProvider.call(this, topic, () => state);
          },
      ),
  },
  {
    name: 'a canceled subscribe starts anyway',
    shows: ['canceled'],
    blindTo: ['maps', 'leftover'],
    plant: () => disable(PendingSubscribe, 'leave'),
  },
  {
    name: 'delivery continues after an unsubscribe',
    shows: ['unsubscribed', 'order', 'recovery'],
    blindTo: ['maps', 'leftover'],
    plant: () => disable(Subscription, 'leave'),
  },
  {
    name: 'a peer with a revoked right is notified but stays subscribed',
    // A pending subscribe is not canceled either, and starts.
    shows: ['unsubscribed', 'rights'],
    blindTo: ['maps', 'leftover'],
    plant: () =>
      replace<AuthorizationReview, [Connection, Undecided], Promise<number>>(
        AuthorizationReview,
        'review',
        (review) =>
          async function (connection, undecided) {
            const { leave } = connection;
            connection.leave = () => true;
            const count = await review.call(this, connection, undecided);
            connection.leave = leave;
            return count;
          },
      ),
  },
  {
    name: 'rights are not checked again for a new credential',
    shows: ['rights'],
    plant: () => disable(AuthorizationReview, 'review', Promise.resolve(0)),
  },
  {
    name: 'an authorization check that fails allows',
    shows: ['rights'],
    plant: () =>
      replace<Authorizer, [Right, Question, ...unknown[]], Promise<unknown>>(
        Authorizer,
        'ask',
        (ask) =>
          function (right, question, ...rest) {
            const yielding: Question = async (user) => {
              try {
                return await question(user);
              } catch {
                return true;
              }
            };
            return ask.call(this, right, yielding, ...rest);
          },
      ),
  },
  {
    name: 'a publication reaches the subscribers of another topic',
    shows: ['unsubscribed', 'order', 'data', 'behind'],
    plant: () =>
      replace<HubInside, [string, string, Publication], void>(
        Hub,
        'publication',
        (publication) =>
          function (name, epoch, published) {
            const other = published.offset % 5 === 0 ? [...this.topics.keys()].at(-1) : undefined;
            publication.call(this, other ?? name, epoch, published);
          },
      ),
  },
  {
    name: 'a slow peer loses publications silently',
    shows: ['order', 'behind', 'answer'],
    plant: () =>
      replace<Backlog, [SharedFrame], void>(
        Backlog,
        'push',
        (push) =>
          function (frame) {
            if (this.bytes < 300) push.call(this, frame);
          },
      ),
  },
  {
    name: 'a slow peer may queue any amount of data',
    shows: ['bounds'],
    plant: () => disable(Connection, 'tooSlow'),
  },
  {
    name: 'the queue of a slow peer is sent in the wrong order',
    shows: ['order', 'answer'],
    plant: () =>
      replace<{ frames: SharedFrame[] }, [], void>(
        Backlog,
        'drained',
        (drained) =>
          function () {
            this.frames.reverse();
            drained.call(this);
          },
      ),
  },
  {
    name: 'an expired credential stays valid',
    shows: ['expired'],
    plant: () => disable(CredentialWatch, 'look'),
  },
  {
    name: 'the last message about a topic is handled first',
    shows: ['answer'],
    plant: () =>
      replace<{ lanes: Map<string, Task[]> }, [Task], void>(
        Inbox,
        'add',
        (add) =>
          function (task) {
            add.call(this, task);
            const lane = this.lanes.get(task.lane ?? '') ?? [];
            const last = lane.pop();
            if (last !== undefined) lane.unshift(last);
          },
      ),
  },
  {
    name: 'messages about one topic do not wait for each other',
    shows: ['answer', 'canceled'],
    plant: () => disable(Inbox, 'mayBegin', true),
  },
  {
    name: 'a late answer about the previous credential is applied',
    shows: ['rights'],
    plant: () =>
      replace<Connection, [ConnectionIdentity], void>(
        Connection,
        'renew',
        (renew) =>
          function (identity) {
            const { lateAnswers } = this;
            renew.call(this, identity);
            this.lateAnswers = lateAnswers;
          },
      ),
  },
  {
    name: 'a request is answered twice',
    shows: ['answer'],
    plant: () =>
      replace<Responder, [{ type: string }, unknown], void>(
        Responder,
        'failed',
        (failed) =>
          function (message, error) {
            failed.call(this, message, error);
            failed.call(this, message, error);
          },
      ),
  },
  {
    name: 'a credential check that never answers blocks its connection',
    shows: ['behind'],
    plant: () =>
      replace<PendingSubscribe, [PromiseLike<unknown>], Promise<unknown>>(
        PendingSubscribe,
        'until',
        (until) =>
          function (work) {
            return until.call(this, work);
          },
      ),
  },
  {
    name: 'a topic is closed at the broker after it was opened again',
    shows: ['behind', 'order'],
    plant: () =>
      replace<Broker, [string], Promise<void>>(
        MemoryBroker,
        'unsubscribe',
        (unsubscribe) =>
          async function (topic) {
            for (let turn = 0; turn < 20; turn++) await Promise.resolve();
            return unsubscribe.call(this, topic);
          },
      ),
  },
  {
    name: 'subscriptions of a closed connection are never released',
    shows: ['maps', 'leftover'],
    plant: () => disable(Connection, 'leaveAll'),
  },
  {
    name: 'holds are never released',
    shows: ['leftover'],
    plant: () => disable(Topic, 'release'),
  },
  {
    name: 'a user stays in the registry after its last connection',
    shows: ['maps', 'leftover'],
    plant: () =>
      replace<{ byUser: Map<string, unknown> }, [Connection], boolean>(
        Registry,
        'remove',
        (remove) =>
          function (connection) {
            const kept = new Map(this.byUser);
            const removed = remove.call(this, connection);
            for (const [user, connections] of kept)
              if (!this.byUser.has(user)) this.byUser.set(user, connections);
            return removed;
          },
      ),
  },
  {
    name: 'a gap is sent as if nothing were missing',
    shows: ['order'],
    plant: () =>
      replace<Topic, [string, number], boolean>(
        Topic,
        'isNext',
        () =>
          function (epoch, offset) {
            return epoch === this.epoch && offset > this.offset;
          },
      ),
  },
  {
    name: 'a publication that the broker delivers twice is sent twice',
    shows: ['order'],
    plant: () =>
      replace<Topic, [string, number], boolean>(
        Topic,
        'isNext',
        (isNext) =>
          function (epoch, offset) {
            return isNext.call(this, epoch, offset) || (epoch === this.epoch && offset === this.offset);
          },
      ),
  },
  {
    name: 'another stream is sent as if it were the same',
    shows: ['data', 'order', 'behind', 'recovery'],
    plant: () =>
      replace<Topic, [string, number], boolean>(
        Topic,
        'isNext',
        () =>
          function (_epoch, offset) {
            return offset === this.offset + 1 && this.healing === undefined;
          },
      ),
  },
  {
    name: 'a loss is noticed but not reported',
    shows: ['order', 'behind', 'data'],
    plant: () => disable(Resync, 'begin'),
  },
  {
    name: 'a subscriber gets a lost message that covers too little',
    shows: ['order'],
    plant: () =>
      replace<LostFrames, [number], SharedFrame | undefined>(
        LostFrames,
        'from',
        (from) =>
          function (offset) {
            return from.call(this, offset + 1);
          },
      ),
  },
  {
    name: 'a complete recovery is given up',
    shows: ['recovery', 'answer'],
    plant: () =>
      replace<Repair, Parameters<Repair['close']>, boolean>(
        Repair,
        'close',
        (close) =>
          function (healing, { top }) {
            return close.call(this, healing, { top, missed: undefined });
          },
      ),
  },
  {
    name: 'silent losses are never checked for',
    shows: ['behind'],
    plant: () => disable(PositionCheck, 'ask'),
  },
  {
    name: 'a topic that could not be read is not read again',
    shows: ['behind'],
    plant: () => disable(Retry, 'plan'),
  },
  {
    name: 'publications that arrive while a topic heals are queued without a limit',
    shows: ['bounds'],
    plant: () =>
      replace<{ chars: number }, [string, Publication], void>(
        HealingTopic,
        'take',
        (take) =>
          function (...args) {
            const { chars } = this;
            this.chars = -Infinity;
            take.apply(this, args);
            this.chars = chars;
          },
      ),
  },
  {
    name: 'a fresh start omits publications made since its snapshot began',
    shows: ['order', 'behind', 'recovery'],
    plant: () =>
      replace<object, [object, { readonly frames: readonly unknown[] }], void>(
        FreshStart,
        'tell',
        (tell) =>
          function (snapshot, following) {
            tell.call(this, snapshot, { ...following, frames: [] });
          },
      ),
  },
  {
    name: 'a fresh start continues the offsets of the previous stream',
    shows: ['order', 'behind'],
    plant: () =>
      replace<Resync, [Topic, readonly Subscription[]], void>(
        Resync as unknown as { readonly prototype: object },
        'startHere',
        (startHere) =>
          function (topic, subscriptions) {
            const after = subscriptions.map((subscription) => subscription.after);
            startHere.call(this, topic, subscriptions);
            for (const [place, subscription] of subscriptions.entries())
              subscription.after = Math.max(subscription.after, after[place] ?? 0);
          },
      ),
  },
  {
    name: 'a subscribe starts at a position that the topic does not have',
    shows: ['order', 'behind', 'recovery', 'data'],
    plant: () => disable(Topic, 'continues', true),
  },
  {
    name: 'the client ignores a fresh start',
    shows: ['application', 'behind'],
    plant: () => replace<object, [{ readonly topic: string }], void>(ClientTopic, 'pushed', () => nothing),
  },
  {
    name: 'the client skips a loss silently',
    shows: ['application'],
    plant: () =>
      replace<{ sink: Sink; readonly position: Position | undefined }, [Position], void>(
        LocalSubscription,
        'startsAt',
        (startsAt) =>
          function (...args) {
            const { sink } = this;
            if (this.position !== undefined) this.sink = { message: nothing, end: nothing };
            startsAt.apply(this, args);
            this.sink = sink;
          },
      ),
  },
  {
    name: 'a drain forgets the slot of a connection',
    shows: ['leftover'],
    plant: () => {
      const drains = new WeakSet<object>();
      return replace<{ left: number }, [], void>(
        Drain,
        'closeDue',
        (closeDue) =>
          function () {
            if (!drains.has(this)) this.left += 1;
            drains.add(this);
            closeDue.call(this);
          },
      );
    },
  },
  ...bugsOfHandovers,
  ...bugsOfKeys,
  ...bugsOfPublishing,
  ...bugsOfLives,
];
