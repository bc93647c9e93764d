import type { Metric } from 'prom-client';
import { SeriesMaker } from './series-maker.js';
import type { LiveSeriesSources } from './live-series-sources.js';

/** Totals since the start. */
export function counted(make: SeriesMaker, { tally, instanceId, stats }: LiveSeriesSources): Metric[] {
  const instance = { instance_id: instanceId };
  return [
    make.counterBy('messages_inbound_total', 'Messages from clients', 'type', tally.inboundByType, instance),
    make.counterBy('messages_outbound_total', 'Messages to clients', 'type', tally.outboundByType),
    make.counterBy('handshakes_total', 'Handshakes decided', 'result', tally.handshakesByResult),
    make.counterBy('closes_total', 'Connections ended, by close code', 'code', tally.closesByCode),
    make.counterBy(
      'rate_limited_total',
      'Messages and pings above the rate: refused, or so many that they closed the connection; and requests refused ' +
        'while too many questions to the application were unsettled, or too much had been recovered and snapshotted',
      'result',
      tally.tooFastByResult,
    ),
    make.counterBy(
      'authorizations_total',
      'Authorization checks by the application, including re-checks, by outcome: allowed, denied, failed (it threw), late, unavailable',
      'outcome',
      tally.authorizationsByOutcome,
    ),
    make.counterBy(
      'errors_total',
      'Messages answered with an error, by its code',
      'code',
      tally.errorsByCode,
    ),
    make.counterBy(
      'gaps_total',
      'Topics with missing publications, by outcome',
      'outcome',
      tally.healedByOutcome,
    ),
    make.counterBy(
      'restarts_total',
      'Subscriptions brought to a fresh start, or closed where that failed',
      'result',
      tally.restartsByResult,
    ),
    make.counter(
      'broker_suspicions_total',
      'Times that the broker may have lost publications on the way',
      () => tally.suspicionsTotal,
    ),
    make.counter(
      'publications_total',
      'Publications accepted by the broker through this instance',
      () => stats().publicationsTotal,
    ),
    make.counter(
      'deliveries_total',
      'Publications times their subscribers on this instance',
      () => stats().deliveriesTotal,
    ),
    make.counter(
      'reading_pauses_total',
      'Times that reading from a connection paused because too many of its messages waited',
      () => tally.readingPausesTotal,
    ),
    make.counter(
      'silent_sockets_dropped_total',
      'Sockets of the own port that were closed before they had sent anything, to make room for newer ones',
      () => tally.droppedSilentTotal,
    ),
    make.counter(
      'credentials_refused_total',
      'Credentials over open connections (auth messages) that were refused',
      () => tally.credentialsRefusedTotal,
    ),
    make.counter('versions_refused_total', 'Versions too far ahead', () => tally.versionsRefusedTotal),
    make.counter(
      'failures_total',
      'Errors of the server or the application: all that the log has, and those that would have flooded it',
      () => tally.failuresTotal,
    ),
  ];
}
