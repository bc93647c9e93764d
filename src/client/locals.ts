import type { TopicRequest } from '../protocol/client-messages.js';
import type { EventMessage, SubscribedMessage } from '../protocol/messages.js';
import type { Position } from '../protocol/position.js';
import type { LocalSubscription, Want } from './local-subscription.js';

/** Whether the topic of a start has snapshots: unknown if nothing was published there. */
export function hasSnapshots(start: SubscribedMessage): boolean | undefined {
  return 'snapshot' in start || (start.offset > 0 ? false : undefined);
}

/** All local subscriptions to one topic. */
export class Locals extends Set<LocalSubscription> {
  /** The earliest position in the same epoch, so that one answer serves every subscriber. */
  #earliest(behind: Position): Position {
    let earliest = behind;
    for (const { position, want } of this) {
      if (want === 'restart' || position?.epoch !== behind.epoch) continue;
      if (position.offset < earliest.offset) earliest = position;
    }
    return earliest;
  }

  newest(): Position | undefined {
    let newest: Position | undefined;
    for (const { position, want } of this)
      if (want === 'nothing' && position && position.offset >= (newest?.offset ?? 0)) newest = position;
    return newest;
  }

  /**
   * Where to resume, if a catch-up is due. Those that move to another connection need one, and
   * come first: an answer from any other position may skip what they lack.
   */
  behind(moving: boolean): Position | undefined {
    const first = (wanted: Want): Position | undefined =>
      [...this].find(({ want }) => want === wanted)?.position;
    const position = (moving ? first('nothing') : undefined) ?? first('catch-up');
    return position && this.#earliest(position);
  }

  lack({ epoch, offset }: Position): boolean {
    return [...this].some(({ position: at }) => at?.epoch === epoch && at.offset < offset);
  }

  /** Those that need a start. */
  starting(): LocalSubscription[] {
    return [...this].filter(({ want }) => want !== 'nothing');
  }

  /** Returns `false` if one of them cannot accept `event` now. */
  offer(event: EventMessage): boolean {
    let taken = true;
    for (const local of this) taken = local.offer(event) && taken;
    return taken;
  }

  /**
   * Publications up to `to` are lost. Without snapshots, all continue after them. Returns whether
   * one waits for a new start instead.
   */
  lost(to: number, snapshots: boolean): boolean {
    let missed = false;
    for (const local of this) {
      const at = local.position;
      if (local.want !== 'nothing' || !at || at.offset >= to) continue;
      if (!snapshots) local.startsAt({ epoch: at.epoch, offset: to });
      else {
        local.want = 'restart';
        missed = true;
      }
    }
    return missed;
  }

  /** A fresh start that nobody asked for. */
  pushed(start: SubscribedMessage, whole: boolean | undefined): void {
    for (const local of this) if (whole || !local.takesPages) local.startsAt(start);
  }

  /** The stream continues under a new epoch. Those that wait for an answer may be elsewhere. */
  goOnUnder(start: Position): void {
    for (const local of this) if (local.want === 'nothing') local.goesOnUnder(start);
  }

  /** All must catch up, or those that have not reached a position. */
  cut(reached?: Position): void {
    for (const local of this) if (!reached || !local.reached(reached)) local.cut();
  }

  /** The rate that satisfies every subscriber. */
  fastest(): number {
    return Math.max(...Array.from(this, ({ maxRate }) => maxRate));
  }

  /** A request that serves every subscriber. */
  request(since: Position | undefined): Omit<TopicRequest, 'topic'> {
    const maxRate = this.fastest();
    const pages = [...this].some(({ takesPages }) => takesPages);
    return {
      ...(since && { since }),
      ...(maxRate < Infinity && { maxRate }),
      ...(pages && { pages, entries: pages }),
    };
  }

  /**
   * Everything after `since` is sent again under `epoch`, even to subscribers due to restart.
   * [L-5.13]
   */
  continue(since: Position, epoch: string, snapshots: boolean | undefined): void {
    const now = { epoch, offset: since.offset };
    for (const local of this) {
      const at = local.position;
      if (at?.epoch === since.epoch && at.offset === since.offset) local.position = now;
      if (local.reached(now)) local.continues();
      // Only a request of its own tells whether the new epoch contains its position.
      else if (local.reached(since)) local.cut();
      else if (local.want !== 'nothing') continue;
      // It is in a stream that is gone; this request was answered before that was announced.
      else if (snapshots === false) local.startsAt(now);
      else local.want = 'restart';
    }
  }

  /** @param whole - absent: the start is not for collections, which ask for another one */
  startOver(start: SubscribedMessage, since: Position | undefined, whole: boolean | undefined): void {
    for (const local of this) {
      const { want } = local;
      if (!whole && local.takesPages) continue;
      const unrecovered = want === 'catch-up' && since !== undefined && local.reached(since);
      if (want === 'start' || want === 'restart' || unrecovered) local.startsAt(start, true);
      else if (want === 'catch-up' || local.reached(start)) continue;
      // A start for another subscriber skipped what this one lacks. It asks once, but not twice:
      // two subscribers that ask in turn would skip each other forever.
      else if (since === undefined) local.cut();
      else local.startsAt(start, true);
    }
  }
}
