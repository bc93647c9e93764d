import type { LiveStats } from '../../core/live-stats.js';
import type { EventLoopDelayReading } from '../server/event-loop-delay.js';
import type { LiveTally } from './live-tally.js';

/** The sources that the series read on each scrape. */
export interface LiveSeriesSources {
  readonly instanceId: string;
  readonly tally: LiveTally;
  readonly stats: () => LiveStats;
  readonly pendingHandshakes: () => number;
  readonly eventLoopDelay: () => EventLoopDelayReading;
}
