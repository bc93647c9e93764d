import type { AttendanceListener, Cluster } from './cluster/cluster.js';
import { SharedAttendance } from './cluster/shared-attendance.js';
import type { Attendance } from './cluster/signal.js';
import type { SubscriberListener } from './fanout/topic.js';
import { Occupancy, type OccupancyParts } from './occupancy/occupancy.js';
import { Presence } from './presence/presence.js';
import type { PresenceBroker } from './presence/presence-broker.js';
import type { PresencePolicy } from './presence/presence-policy.js';

export interface AudienceParts extends Omit<OccupancyParts, 'share' | 'solitary'> {
  readonly broker: PresenceBroker;
  readonly policy: PresencePolicy;
  readonly cluster: Cluster;
}

/** The subscribers on all instances: by user, and whether a topic has any. */
export class Audience {
  readonly presence: Presence;
  readonly occupancy: Occupancy;
  private readonly shared: SharedAttendance;

  constructor(parts: AudienceParts) {
    const solitary = parts.broker.solitary === true;
    const share = (change: Attendance): void => this.shared.tell(change);
    this.presence = new Presence({ ...parts, share });
    this.occupancy = new Occupancy({ ...parts, share, solitary });
    const members = this.presence.roll;
    const readers = this.occupancy.table;
    this.shared = new SharedAttendance({ ...parts, solitary, members, readers });
  }

  /** Takes what other instances tell. */
  get others(): AttendanceListener {
    return this.shared;
  }

  /** Listener for joins and leaves of a topic here, or `undefined` if nobody has to know. */
  listenerOf(topic: string): SubscriberListener | undefined {
    const listeners = [this.presence.audienceOf(topic), this.occupancy.audienceOf(topic)].filter(
      (listener) => listener !== undefined,
    );
    if (listeners.length < 2) return listeners[0];
    return {
      joined: (connection) => listeners.forEach((listener) => listener.joined(connection)),
      left: (connection) => listeners.forEach((listener) => listener.left(connection)),
    };
  }

  /** Call it before the cluster is closed. Resolves when the last hook has run. Never rejects. */
  close(): Promise<void> {
    this.presence.close();
    const vacated = this.occupancy.close();
    this.shared.close();
    return vacated;
  }
}
