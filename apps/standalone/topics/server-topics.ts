import { Injectable, type Type } from '@nestjs/common';
import { LiveTopic, type LiveTopicOptions, type LiveTopicProvider, type LiveUser } from 'nestjs-live';
import { FleetReplay, type FleetSnapshot } from '../fleet/fleet-replay.js';
import type { ServerPlan } from '../server-plan.js';
import { type VitalsReading, Vitals } from '../vitals/vitals.js';
import { schemas } from './server-schemas.js';
import { TopicRights } from './topic-rights.js';

export const vitalsTopic = 'system/vitals';
export const fleetTopic = 'fleet/demo';

/** Topics that each instance publishes for itself, even with a shared broker. */
export function localTopics({ demo }: ServerPlan): string[] {
  return demo ? [vitalsTopic, fleetTopic] : [vitalsTopic];
}

/** Common to all topics of the server: the credential decides the rights. */
@Injectable()
abstract class TopicsByRight implements LiveTopicProvider {
  constructor(private readonly rights: TopicRights) {}

  canSubscribe(user: LiveUser | null, _params: unknown, topic: string): boolean {
    return this.rights.allows(user, 'subscribe', topic);
  }

  canPublish(user: LiveUser | null, _params: unknown, topic: string): boolean {
    return this.rights.allows(user, 'publish', topic);
  }
}

/**
 * The providers of the topics. Each plan needs its own classes, because the history depends on it.
 */
export function serverTopics({ settings, demo }: ServerPlan): Type<LiveTopicProvider>[] {
  const { LIVE_HISTORY_SIZE: size, LIVE_HISTORY_TTL_MS: ttlMs } = settings;
  const { LIVE_MAX_VERSION_AHEAD_MS: maxVersionAheadMs } = settings;
  const options: LiveTopicOptions = {
    ...(size > 0 && ttlMs > 0 && { history: { size, ttlMs } }),
    ...(maxVersionAheadMs !== undefined && { maxVersionAheadMs }),
  };

  @LiveTopic('**', options)
  class AllTopics extends TopicsByRight {}

  @LiveTopic(vitalsTopic, { ...options, ...schemas.vitals })
  class VitalsTopic extends TopicsByRight {
    constructor(
      rights: TopicRights,
      private readonly vitals: Vitals,
    ) {
      super(rights);
    }

    /** The last two minutes, oldest first. */
    snapshot(): readonly VitalsReading[] {
      return this.vitals.recent;
    }
  }

  @LiveTopic(fleetTopic, { ...options, ...schemas.fleet })
  class FleetTopic extends TopicsByRight {
    constructor(
      rights: TopicRights,
      private readonly fleet: FleetReplay,
    ) {
      super(rights);
    }

    snapshot(): FleetSnapshot {
      return this.fleet.snapshotAt(Date.now());
    }
  }

  return [AllTopics, VitalsTopic, ...(demo ? [FleetTopic] : [])];
}
