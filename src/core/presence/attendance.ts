import type { Connection } from '../connection/connection.js';
import type { LiveUser } from '../ports/identity.js';
import { isUser, maxUserIdLength } from '../cluster/read-signal.js';
import type { Attendance } from '../cluster/signal.js';
import type { Cancel, Clock } from '../ports/clock.js';
import type { Observer } from '../ports/observer.js';
import type { PresenceRules } from '../ports/policy.js';
import { mayReconnect } from '../../protocol/codes.js';
import { fieldsText } from './member.js';

/** Other instances would reject a longer id, and no command could name it. */
const wrongId = new RangeError(`A member's id must have 1 to ${String(maxUserIdLength)} characters`);

/** One user of one topic on this instance. */
interface Attendee {
  connections: number;
  fields: string;
  /** Set during the grace period. */
  cancelLeave: Cancel | undefined;
}

/** Called for each change. */
export type OnAttendance = (now: Attendance) => void;

/**
 * Attendance at presence topics on this instance. A user with three tabs is one member with three
 * connections. [L-11.2]
 */
export class Attendances {
  private readonly topics = new Map<string, Map<string, Attendee>>();

  constructor(
    private readonly clock: Clock,
    private readonly observer: Observer,
    private readonly onChange: OnAttendance,
  ) {}

  /**
   * A connection has subscribed. Without a user, or with an id that other instances reject, it is
   * not a member.
   */
  joined(topic: string, rules: PresenceRules, connection: Connection): void {
    const { user } = connection;
    if (user === null) return;
    if (!isUser(user.id)) {
      this.observer.failed('announcing a member', wrongId, connection);
      return;
    }
    const users = this.topics.get(topic) ?? new Map<string, Attendee>();
    this.topics.set(topic, users);
    const attendee = users.get(user.id) ?? { connections: 0, fields: '{}', cancelLeave: undefined };
    users.set(user.id, attendee);
    attendee.cancelLeave?.();
    attendee.cancelLeave = undefined;
    attendee.connections += 1;
    attendee.fields = this.fieldsOf(user, rules, connection);
    this.onChange([topic, user.id, attendee.connections, attendee.fields]);
  }

  /**
   * A subscription ended. Waits for the grace period, unless the connection was closed for good.
   * [L-11.5]
   */
  left(topic: string, rules: PresenceRules, { user, closedWith }: Connection): void {
    const attendee = user === null ? undefined : this.topics.get(topic)?.get(user.id);
    if (user === null || attendee === undefined) return;
    attendee.connections -= 1;
    const stays = closedWith !== undefined && !mayReconnect(closedWith.code);
    if (attendee.connections > 0) {
      this.onChange([topic, user.id, attendee.connections, attendee.fields]);
    } else if (stays || rules.graceMs === 0) this.leave(topic, user.id);
    else {
      attendee.cancelLeave = this.clock.after(rules.graceMs, () => this.leave(topic, user.id));
      this.onChange([topic, user.id, 0, attendee.fields]);
    }
  }

  /** Cancels all timers. */
  stop(): void {
    for (const users of this.topics.values()) for (const { cancelLeave } of users.values()) cancelLeave?.();
    this.topics.clear();
  }

  private leave(topic: string, user: string): void {
    const users = this.topics.get(topic);
    if (users?.delete(user) !== true) return;
    if (users.size === 0) this.topics.delete(topic);
    this.onChange([topic, user, -1, '{}']);
  }

  private fieldsOf(user: LiveUser, rules: PresenceRules, connection: Connection): string {
    try {
      return fieldsText(user, rules);
    } catch (error) {
      this.observer.failed('asking what presence shows of a user', error, connection);
      return '{}';
    }
  }
}
