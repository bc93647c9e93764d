import type { Metric, Registry } from 'prom-client';
import type { LiveStats } from '../../core/live-stats.js';
import { SeriesMaker } from './series-maker.js';
import { counted } from './counted-series.js';
import type { LiveSeriesSources } from './live-series-sources.js';

/**
 * Creates the metrics of one live server; `prefix` precedes each name. Every label has a bounded
 * set of values.
 */
export function makeLiveSeries(registry: Registry, prefix: string, sources: LiveSeriesSources): Metric[] {
  const make = new SeriesMaker(registry, prefix);
  return [...counted(make, sources), ...measured(make, sources), ...clustered(make, sources)];
}

/** Current values. */
function measured(make: SeriesMaker, sources: LiveSeriesSources): Metric[] {
  const { stats, pendingHandshakes, eventLoopDelay } = sources;
  return [
    make.gauge('connections', 'Open connections', () => stats().connections),
    make.gauge(
      'event_streams',
      'Open connections that read an event stream in place of a WebSocket',
      () => stats().eventStreams,
    ),
    make.gauge('subscriptions', 'Subscriptions of all connections', () => stats().subscriptions),
    make.gauge('topics', 'Topics with subscribers on this instance', () => stats().topics),
    make.gauge(
      'queued_bytes',
      'Bytes queued for slow clients, outside the kernel',
      () => stats().queuedBytes,
    ),
    make.gauge(
      'connections_behind',
      'Connections that read more slowly than the server sends',
      () => stats().behind,
    ),
    make.gauge('broker_available', '1 while the broker is available, else 0', () =>
      Number(stats().brokerAvailable),
    ),
    make.gauge(
      'publishing_refused_seconds',
      'Seconds since a reachable broker began to refuse publications; 0 while it accepts them',
      () => stats().publishingRefusedMs / 1_000,
    ),
    make.gauge('healing_topics', 'Topics with missing publications', () => stats().healing),
    make.gauge(
      'restarting_subscriptions',
      'Subscriptions that wait for a fresh start',
      () => stats().restarting,
    ),
    make.gauge(
      'waiting_publications',
      'Publications that wait for the broker',
      () => stats().waitingPublications,
    ),
    make.gauge('pending_handshakes', 'Handshakes that are not decided yet', pendingHandshakes),
    make.gauge('draining', '1 while draining, else 0', () => Number(stats().draining)),
    ...drained(make, stats),
    make.delay(eventLoopDelay),
  ];
}

/** What has become of the connections of a drain. [L-10.6] */
function drained(make: SeriesMaker, stats: () => LiveStats): Metric[] {
  return [
    make.counter('drain_slots_total', 'Connections that were given a slot', () => stats().drain?.slots ?? 0),
    make.counter(
      'drain_left_total',
      'Connections that had left when their time was over',
      () => stats().drain?.left ?? 0,
    ),
    make.counter('drain_closed_total', 'Connections closed by the drain', () => stats().drain?.closed ?? 0),
    make.counter(
      'drain_terminated_total',
      'Connections terminated at the deadline of the drain',
      () => stats().drain?.terminated ?? 0,
    ),
  ];
}

/** Communication with other instances. */
function clustered(make: SeriesMaker, { stats }: LiveSeriesSources): Metric[] {
  return [
    make.counter('commands_total', 'Commands to all instances', () => stats().commandsTotal),
    make.counter(
      'command_answers_total',
      'Answers of other instances to commands',
      () => stats().commandAnswersTotal,
    ),
    make.counter(
      'command_answers_missing_total',
      'Answers to commands that arrived after the caller got its result, or never',
      () => stats().commandAnswersMissingTotal,
    ),
    make.counter(
      'signals_rejected_total',
      'Invalid signals: of another version, forged, or too large',
      () => stats().signalsRejectedTotal,
    ),
    make.counter(
      'presence_members_rejected_total',
      'Presence members of other instances that were too long or too deep, and left out',
      () => stats().presenceMembersRejectedTotal,
    ),
    make.counter(
      'signals_unsent_total',
      'Signals to other instances that could not be sent',
      () => stats().signalsUnsentTotal,
    ),
    make.gauge('peer_instances', 'Other known instances on the same broker', () => stats().peerInstances),
    make.gauge(
      'kept_topics',
      'Topics whose onOccupied, onVacated and poll run on this instance',
      () => stats().keptTopics,
    ),
    make.gauge(
      'presence_members',
      'Members of topics with presence, on all instances',
      () => stats().presenceMembers,
    ),
  ];
}
