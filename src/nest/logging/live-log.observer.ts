import { Logger } from '@nestjs/common';
import type { LiveConnection } from '../../core/ports/connection.js';
import type { Healed, RateLimitOutcome, PublishRefusals } from '../../core/ports/observer.js';
import type { HandshakeResult } from '../../ws/refusal.js';
import type { LiveObserver } from './live-observer.js';
import { logEntry } from './log-entry.js';
import { printable } from './printable.js';

/**
 * Maximum entries per second for failures, or reached limits, of one kind. The next entry counts
 * the rest.
 */
const entriesPerSecond = 10;

/**
 * Maximum kinds of refusals logged at warn per minute; part of their text may be chosen by clients.
 */
const kindsPerMinute = 50;

interface Flood {
  sinceMs: number;
  count: number;
}

/**
 * Writes the log: connections and refusals at debug; the first refusal of a kind in a minute, and
 * reached limits, at warn; failures at error. Each entry has its connection's id. The only text of
 * a peer is its close reason.
 */
export class LiveLogObserver implements Partial<LiveObserver> {
  private readonly logger = new Logger('Live');
  private readonly floods = new Map<string, Flood>();
  private readonly kindsOfMinute = new Set<string>();
  private minuteMs = 0;

  opened({ id, user, remoteAddr }: LiveConnection): void {
    const userId = user === null ? undefined : printable(user.id);
    this.logger.debug(logEntry({ msg: 'connection opened', connectionId: id, userId, remoteAddr }));
  }

  closed({ id }: LiveConnection, code: number, reason: string): void {
    this.logger.debug(
      logEntry({ msg: 'connection closed', connectionId: id, code, reason: printable(reason) }),
    );
  }

  availability(available: boolean): void {
    if (available) this.logger.log(logEntry({ msg: 'broker available' }));
    else this.logger.warn(logEntry({ msg: 'broker away' }));
  }

  publishing(refusals: PublishRefusals | undefined): void {
    if (refusals === undefined) this.logger.log(logEntry({ msg: 'broker takes publications again' }));
    else this.logger.warn(logEntry({ msg: 'broker refuses publications', why: printable(refusals.reason) }));
  }

  healed(how: Healed, topic: string): void {
    const unlogged = this.passes(how);
    if (unlogged === undefined) return;
    const message = logEntry({
      msg: `topic ${how}`,
      topic: printable(topic),
      ...(unlogged > 0 && { unlogged }),
    });
    if (how === 'healed') this.logger.debug(message);
    else this.logger.warn(message);
  }

  /** A publisher's clock is wrong; the publisher itself receives the details. */
  versionRefused(topic: string): void {
    this.said('publication refused', "its version is too far ahead of the server's clock", {
      topic: printable(topic),
    });
  }

  restarted(how: 'done' | 'failed', count: number): void {
    if (how === 'failed') this.logger.warn(logEntry({ msg: 'position lost', connections: count }));
  }

  failed(doing: string, err: unknown, connection?: LiveConnection): void {
    const unlogged = this.passes(doing);
    if (unlogged === undefined) return;
    const identity = connection && { connectionId: connection.id };
    this.logger.error(
      logEntry({ msg: `failed: ${doing}`, ...identity, ...(unlogged > 0 && { unlogged }), err }),
    );
  }

  /**
   * Logs a connection closed for sending too fast; earlier slow-down requests only appear in the
   * metrics.
   */
  tooFast({ id, user, remoteAddr }: LiveConnection, result: RateLimitOutcome): void {
    const unlogged = result === 'closed' ? this.passes('too fast') : undefined;
    if (unlogged === undefined) return;
    const userId = user === null ? undefined : printable(user.id);
    const more = unlogged > 0 && { unlogged };
    this.logger.warn(
      logEntry({ msg: 'connection sends too fast', connectionId: id, userId, remoteAddr, ...more }),
    );
  }

  handshake(result: HandshakeResult, remoteAddr: string, reason = ''): void {
    if (result === 'accepted') return;
    if (result === 'aborted') this.logger.debug(logEntry({ msg: 'handshake aborted', remoteAddr }));
    else if (result.startsWith('max-')) this.reachedLimit(result, remoteAddr);
    else if (result === 'origin') this.said('handshake refused', reason, { result, remoteAddr }, result);
    else this.said('handshake refused', reason, { result, remoteAddr });
  }

  droppedSilent(): void {
    this.logger.debug(logEntry({ msg: 'silent socket dropped' }));
  }

  credentialRefused(reason: string): void {
    this.said('credential refused', reason, {});
  }

  private reachedLimit(limit: string, remoteAddr: string): void {
    const unlogged = this.passes(limit);
    const more = unlogged !== undefined && unlogged > 0 && { unlogged };
    const entry = logEntry({ msg: 'handshake refused', limit, remoteAddr, ...more });
    if (unlogged === undefined) this.logger.debug(entry);
    else this.logger.warn(entry);
  }

  /**
   * Logs the first refusal of a kind in a minute at warn, so that operators notice without a flood
   * of entries.
   */
  private said(msg: string, reason: string, fields: object, kind = reason): void {
    const entry = logEntry({ msg, ...fields, reason: printable(reason) });
    if (this.isFirstOfMinute(`${msg} ${kind}`)) this.logger.warn(entry);
    else this.logger.debug(entry);
  }

  private isFirstOfMinute(kind: string): boolean {
    const now = Date.now();
    if (now - this.minuteMs >= 60_000) {
      this.minuteMs = now;
      this.kindsOfMinute.clear();
    }
    if (this.kindsOfMinute.size >= kindsPerMinute || this.kindsOfMinute.has(kind)) return false;
    this.kindsOfMinute.add(kind);
    return true;
  }

  /**
   * Number of this kind left out since the last entry, or `undefined` to leave this one out as
   * well.
   */
  private passes(kind: string): number | undefined {
    const now = Date.now();
    const flood = this.floods.get(kind);
    if (flood === undefined || now - flood.sinceMs > 1_000) {
      this.floods.set(kind, { sinceMs: now, count: 1 });
      return Math.max(0, (flood?.count ?? 0) - entriesPerSecond);
    }
    flood.count += 1;
    return flood.count > entriesPerSecond ? undefined : 0;
  }
}
