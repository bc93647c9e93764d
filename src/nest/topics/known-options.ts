import type { Names } from '../../core/ports/option-names.js';
import { historyNames, onlyKnown } from '../options/known-options.js';
import type {
  LivePresenceOptions,
  LiveOccupancyOptions,
  LivePollOptions,
  LiveTopicOptions,
} from './live-topic.options.js';

const topicNames: Names<LiveTopicOptions> = {
  slow: true,
  maxRate: true,
  flushMs: true,
  validate: true,
  data: true,
  clientPublish: true,
  key: true,
  params: true,
  snapshot: true,
  history: true,
  maxKeyAgeMs: true,
  maxVersionAheadMs: true,
  maxPublicationBytes: true,
  presence: true,
  occupancy: true,
  poll: true,
};
const presenceNames: Names<LivePresenceOptions> = { fields: true, graceMs: true };
const occupancyNames: Names<LiveOccupancyOptions> = { graceMs: true };
const pollNames: Names<LivePollOptions> = { everyMs: true, byKey: true };

/**
 * Checks the names of the options of a topic.
 *
 * @throws Error that names the first unknown one
 */
export function checkTopicNames(options: LiveTopicOptions, provider: string): void {
  const of = ` of ${provider}`;
  onlyKnown('', options, topicNames, of);
  onlyKnown('history.', options.history, historyNames, of);
  onlyKnown('presence.', options.presence, presenceNames, of);
  onlyKnown('occupancy.', options.occupancy, occupancyNames, of);
  onlyKnown('poll.', options.poll, pollNames, of);
}
