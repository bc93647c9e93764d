// What bench/drain.js prints.
import { quantile } from './statistics.js';
import { short, table } from './table.js';
import { targetLine } from './target.js';

const targets = { evenness: 1.15, awayMs: 50, delivery: 2, exitMs: 2_000 };

const perSecondOf = ({ movers, spreadMs }) => movers.length / (spreadMs / 1_000);

/** Events in each second since the first. */
function perBucket(timesMs, { spreadMs }) {
  const first = Math.min(...timesMs);
  const buckets = Array.from({ length: Math.ceil(spreadMs / 1_000) }, () => 0);
  for (const atMs of timesMs) {
    const place = Math.floor((atMs - first) / 1_000);
    buckets[place] = (buckets[place] ?? 0) + 1;
  }
  return Array.from(buckets, (count = 0) => count);
}

/** The tables and verdicts of bench/drain.js. */
export function drainReport(
  { ours, rivals, plains },
  { clients, windowMs, perSecond, topics },
  where,
  about,
) {
  const moved = String(ours.movers.length);
  const handshakes = perBucket(ours.handshakes, ours);
  const closes = perBucket(plains.closes, plains);
  const evenHandshakes = Math.max(...handshakes) / perSecondOf(ours);
  const evenCloses = Math.max(...closes) / perSecondOf(plains);
  const rows = [ours, rivals, plains].map((result) => {
    const staysAway = result === plains;
    const ratio =
      result === ours
        ? evenHandshakes
        : staysAway
          ? evenCloses
          : Math.max(...perBucket(rivals.handshakes, rivals)) / perSecondOf(rivals);
    return [
      result.name,
      staysAway ? `${String(plains.lostSurvivors)} (survivors)` : String(result.lost),
      String(result.twice),
      String(result.reordered),
      String(result.told),
      staysAway ? '–' : String(result.neverBack),
      String(result.handshakes.length),
      short(ratio),
      short(quantile(result.away, 0.99)),
      short(result.quietP99),
      short(result.drainP99),
      short(result.exitMs / 1_000),
      String(result.exitCode),
    ];
  });
  const head = [
    'clients',
    '>lost',
    '>twice',
    '>reordered',
    '>afresh',
    '>never back',
    '>handshakes',
    '>busiest second ÷ even',
    '>away p99, ms',
    '>delivery p99 quiet, ms',
    '>in the drain',
    '>exit after, s',
    '>code',
  ];
  const none = ours.lost + ours.twice + ours.reordered + ours.neverBack === 0;
  const away = quantile(ours.away, 0.99);
  const slower = ours.drainP99 / ours.quietP99;
  const overMs = ours.exitMs - ours.spreadMs;
  const even = (what, result, ratio) =>
    targetLine(
      `${what} in the busiest second at most ${String(targets.evenness)} × ${short(perSecondOf(result))}`,
      ratio <= targets.evenness,
      short(ratio),
    );
  return [
    `## One of two instances is stopped`,
    '',
    `${String(clients)} clients on two instances ${where}. One is stopped under ${String(perSecond)} publications a second on ${String(topics)} topics; each client has one topic. ${moved} clients leave over ${short(ours.spreadMs / 1_000)} s, with a window of ${short(windowMs / 1_000)} s.`,
    '',
    about,
    '',
    table(head, rows),
    '',
    `Handshakes of nestjs-live in each second: ${handshakes.join(' ')}. Closes of plain clients: ${closes.join(' ')}, with ${plains.codes.join(', ')}. The clients' process stalled for at most ${[ours, rivals, plains].map(({ longestMs }) => short(longestMs)).join(', ')} ms. Publications: ${String(ours.published)} and ${String(plains.published)}.`,
    '',
    [
      targetLine(
        'nothing is lost, twice or reordered, and every client is back',
        none,
        [ours.lost, ours.twice, ours.reordered, ours.neverBack].join(', '),
      ),
      even('handshakes', ours, evenHandshakes),
      targetLine(
        `p99 without a connection at most ${String(targets.awayMs)} ms`,
        away <= targets.awayMs,
        `${short(away)} ms`,
      ),
      targetLine(
        `survivors' delivery p99 at most ${String(targets.delivery)} × quiet`,
        slower <= targets.delivery,
        short(slower),
      ),
      targetLine(
        `exit 0 at most ${String(targets.exitMs / 1_000)} s after the last slot begins`,
        ours.exitCode === 0 && overMs <= targets.exitMs,
        `${short(overMs / 1_000)} s, code ${String(ours.exitCode)}`,
      ),
      even('closes of plain clients', plains, evenCloses),
    ].join(''),
  ].join('\n');
}
