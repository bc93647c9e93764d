import { randomUUID } from 'node:crypto';
import type { HistoryRules, Publication, RecoveryLimits, StreamReading } from '../ports/broker.js';
import { History } from '../stream/history.js';
import type { Position } from '../../protocol/position.js';

/** For clients that were away for a moment; who was away longer gets the members instead. */
const history: HistoryRules = { size: 100, ttlMs: 300_000, maxBytes: 262_144 };

/** Who came and went in one topic, as this instance saw it: a stream of its own, with an epoch of its own. [L-11.7] */
export class PresenceStream {
  private readonly epoch = randomUUID();
  private readonly history = new History();
  private offset = 0;

  get top(): Position {
    return { epoch: this.epoch, offset: this.offset };
  }

  add(data: string, key: string, nowMs: number): Publication {
    this.offset += 1;
    const publication: Publication = { offset: this.offset, data, key };
    this.history.add(publication, history, nowMs);
    return publication;
  }

  read(since: Position | undefined, limits: RecoveryLimits, nowMs: number): StreamReading {
    const { top } = this;
    if (since?.epoch !== top.epoch) return { top, missed: undefined };
    this.history.expire(history.ttlMs, nowMs);
    const missed = since.offset === top.offset ? [] : this.history.after(since.offset, top.offset, limits);
    return { top, missed };
  }
}
