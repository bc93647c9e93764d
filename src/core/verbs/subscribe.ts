import { Buffer } from 'node:buffer';
import type { Connection } from '../connection/connection.js';
import { noteAnswered, OpenSubscribe } from '../connection/pending-subscribe.js';
import type { Replays } from '../connection/replays.js';
import type { HoldBuffer } from '../fanout/hold-buffers.js';
import type { Hub } from '../fanout/hub.js';
import type { Wanted } from '../connection/membership.js';
import { storedNameOf } from '../fanout/personal-topic.js';
import type { Topic } from '../fanout/topic.js';
import { subscribedText } from '../frame/message-text.js';
import type { LiveLimits } from '../ports/limits.js';
import type { Broker } from '../ports/broker.js';
import type { Observer } from '../ports/observer.js';
import type { TopicRules } from '../ports/policy.js';
import { followingOf, notNow, type Readings, type Start } from '../stream/following.js';
import { type Snapshot, snapshotFor, type SnapshotRun } from '../fanout/snapshot-run.js';
import type { Snapshots } from '../stream/snapshots.js';
import type { InboundMessage } from '../../protocol/client-messages.js';
import { LiveError } from '../../protocol/live.error.js';
import type { Position } from '../../protocol/position.js';
import type { Authorizer } from './authorizer.js';
import { maxMessageBytesOf, maxRateOf, sinceOf, takes, topicOf } from '../inbound/fields.js';
import { bytesOfReading, bytesOfSnapshot, longest } from './reading-bytes.js';

/** One subscribe in progress. */
interface Request {
  readonly connection: Connection;
  readonly pending: OpenSubscribe;
  readonly name: string;
  readonly rules: TopicRules;
  readonly since: Position | undefined;
  readonly wanted: Wanted;
}

/** The answer to a subscribe. */
interface Answer extends Start {
  /** Whether the position continues the requested one. */
  readonly recovered: boolean;
  readonly snapshot?: Snapshot;
}

/** What a subscribe needs from the core. */
export interface SubscribeParts {
  readonly hub: Hub;
  readonly broker: Broker;
  readonly authorizer: Authorizer;
  readonly readings: Readings;
  readonly snapshots: Snapshots;
  readonly observer: Observer;
  readonly limits: LiveLimits;
  readonly replays: Replays;
}

/** The subscribe verb. [L-3.2] */
export class Subscribe {
  constructor(private readonly parts: SubscribeParts) {}

  /**
   * Sends its own answer, because nothing may come between it and the first event. Rejects with a
   * `LiveError`.
   */
  async run(connection: Connection, message: InboundMessage): Promise<void> {
    const name = topicOf(message);
    const since = sinceOf(message);
    const wanted: Wanted = {
      maxRate: maxRateOf(message),
      maxBytes: maxMessageBytesOf(message),
      pages: takes('pages', message),
      entries: takes('entries', message),
    };
    const underWay = connection.membership(name);
    if (underWay instanceof OpenSubscribe && underWay.asksFor(since, wanted)) {
      underWay.ids.push(message.id);
      return underWay.done;
    }
    this.parts.replays.check(connection);
    const pending = new OpenSubscribe([message.id], since, wanted);
    this.begin(connection, name, pending);
    pending.done = this.attend({ connection, pending, name, since, wanted });
    return pending.done;
  }

  private async attend(asked: Omit<Request, 'rules'>): Promise<void> {
    const { connection, pending, name, since } = asked;
    try {
      if (since !== undefined) await pending.until(this.parts.replays.turn());
      const rules = await this.parts.authorizer.rulesFor('canSubscribe', name, connection, pending);
      const request: Request = { ...asked, rules };
      if ((await this.attach(request)) || (await this.attach(request))) return;
      throw new LiveError('unavailable', 'Too much was published while subscribing', { retryAfterMs: 1_000 });
    } finally {
      if (connection.isMember(name, pending)) connection.leave(name);
    }
  }

  /**
   * Ends the connection's earlier subscription to this topic, so that nothing arrives twice.
   * [L-3.5]
   */
  private begin(connection: Connection, name: string, pending: OpenSubscribe): void {
    const { maxTopicsPerConnection } = this.parts.limits;
    if (!connection.leave(name) && connection.membershipCount >= maxTopicsPerConnection) {
      throw new LiveError(
        'limit-exceeded',
        `A connection has at most ${String(maxTopicsPerConnection)} topics`,
      );
    }
    const isTakenBack = connection.takenBack?.has(name) === true;
    if (connection.open && !isTakenBack) connection.setMembership(name, pending);
    else pending.leave();
  }

  /**
   * Returns `false` if more was published than may be held [L-3.11], a publication was lost, or the
   * stream was replaced.
   */
  private async attach(request: Request): Promise<boolean> {
    const { broker, hub, readings, replays } = this.parts;
    if (!broker.available) throw notNow();
    const { connection, pending, name, rules, since } = request;
    const charge = since && (await replays.enter(connection, pending));
    const topic = hub.open(storedNameOf(name, connection.user), rules.delivery);
    const reading = readings.join(topic, since);
    const { isShared } = reading;
    charge?.(reading.result, bytesOfReading);
    let run: SnapshotRun | undefined;
    try {
      const { top, missed } = await pending.until(reading.result);
      // The shared read started before this subscriber's position existed, so its result is too
      // old.
      if (isShared && since?.epoch === top.epoch && since.offset > top.offset) return false;
      if (since !== undefined && missed !== undefined) {
        const position = { epoch: top.epoch, offset: since.offset };
        return this.commit(request, topic, reading.hold, { position, recovered: true, missed });
      }
      run = await this.snapshotRun(request, topic);
      if (run === undefined)
        return this.commit(request, topic, reading.hold, { position: top, recovered: false, missed: [] });
      const snapshot = await pending.until(run.result);
      return this.commit(request, topic, run.hold, { ...snapshot, recovered: false, snapshot });
    } finally {
      reading.leave();
      run?.leave();
    }
  }

  /** Returns the snapshot to wait for, or `undefined` for a topic without snapshots. */
  private async snapshotRun(
    { connection, pending, rules }: Request,
    topic: Topic,
  ): Promise<SnapshotRun | undefined> {
    if (rules.snapshot === undefined && rules.latest === undefined) return undefined;
    const charge = await this.parts.replays.enter(connection, pending);
    const run = this.parts.snapshots.join(topic, rules);
    // Each joined request is sent the snapshot.
    charge(run?.result ?? Promise.resolve(undefined), (read) => bytesOfSnapshot(read) * pending.ids.length);
    return run;
  }

  /**
   * Sends the answer, missed and held publications, and goes live, in one step so that nothing
   * overtakes. [L-3.10]
   */
  private commit(
    { connection, pending, name, wanted }: Request,
    topic: Topic,
    hold: HoldBuffer,
    { position, missed, recovered, snapshot: made }: Answer,
  ): boolean {
    pending.check();
    const following = followingOf(this.parts.hub, topic, { position, missed }, hold);
    if (following === undefined) return false;
    const { frames, offset } = following;
    const { maxBytes = Infinity } = wanted;
    const snapshot = made && snapshotFor(made, wanted);
    const pages = this.parts.snapshots.pagesOf(topic, snapshot, wanted);
    const answer = {
      topic: name,
      position,
      recovered,
      snapshot: pages === undefined ? snapshot?.text : undefined,
      paged: pages !== undefined,
      entryLimits: snapshot?.entryLimits,
    };
    if (maxBytes < Infinity) {
      const bytes = Buffer.byteLength(subscribedText({ ...answer, id: longest(pending.ids) }));
      checkSize(Math.max(bytes, pages?.maxBytes ?? 0), maxBytes);
    }
    for (const id of pending.ids) {
      noteAnswered(connection, name, id);
      connection.sendText('subscribed', subscribedText({ ...answer, id }));
    }
    // The answer is written separately, so that the missed frames can be joined once for all peers
    // with the same ones.
    if (missed.length > 0) connection.outbox.flush();
    for (const frame of frames) connection.outbox.push(frame.within(maxBytes));
    if (frames.length > 0) this.parts.observer.outbound('event', frames.length);
    // The frames may have exceeded the limits of a slow peer.
    pending.check();
    const subscription = topic.add(connection, position.epoch, offset, wanted);
    connection.setMembership(name, subscription);
    if (pages !== undefined) subscription.send(pages, this.parts.observer);
    return true;
  }
}

function checkSize(bytes: number, maxBytes: number): void {
  if (bytes <= maxBytes) return;
  throw new LiveError(
    'limit-exceeded',
    `The answer with the snapshot has ${String(bytes)} bytes, and you accept at most ${String(maxBytes)}`,
  );
}
