import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LiveConnection } from '../../core/ports/connection.js';
import { LiveLogObserver } from './live-log.observer.js';

const connection = { id: 'c-1', user: { id: 'ann' }, remoteAddr: '::1' } as LiveConnection;
const logged: unknown[] = [];
const keep = (entry: unknown): void => {
  logged.push(entry);
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  logged.length = 0;
  Logger.overrideLogger({ log: keep, error: keep, warn: keep, debug: keep });
});

afterEach(() => {
  vi.useRealTimers();
  Logger.overrideLogger(false);
});

describe('LiveLogObserver', () => {
  it('[S14] text that a peer chose is logged in a form safe for any terminal', () => {
    const observer = new LiveLogObserver();
    observer.opened({ ...connection, user: { id: '\u001b[2J' } } as LiveConnection);
    observer.closed(connection, 4000, '\u202e\n');
    expect(logged).toEqual([
      { msg: 'connection opened', connectionId: 'c-1', userId: '\\u{1b}[2J', remoteAddr: '::1' },
      { msg: 'connection closed', connectionId: 'c-1', code: 4000, reason: '\\u{202e}\\u{a}' },
    ]);
  });

  it('a connection without a user is logged without a userId', () => {
    new LiveLogObserver().opened({ ...connection, user: null } as LiveConnection);
    expect(logged).toMatchObject([{ connectionId: 'c-1', userId: undefined }]);
  });

  it('[S8] ten failures of a kind are logged within a second, and the next entry counts the rest', () => {
    const observer = new LiveLogObserver();
    const err = new Error('on purpose');
    for (let i = 0; i < 1_000; i++) observer.failed('handling a message', err, connection);
    expect(logged).toHaveLength(10);
    expect(logged[0]).toEqual({ msg: 'failed: handling a message', connectionId: 'c-1', err });
    observer.failed('calling onClose', err);
    expect(logged[10]).toEqual({ msg: 'failed: calling onClose', err });
    vi.advanceTimersByTime(1_001);
    observer.failed('handling a message', err, connection);
    expect(logged[11]).toEqual({
      msg: 'failed: handling a message',
      connectionId: 'c-1',
      unlogged: 990,
      err,
    });
  });

  it('[L-9.11] connections closed for sending too fast are logged at most ten times within a second', () => {
    const observer = new LiveLogObserver();
    for (let i = 0; i < 30; i++) observer.tooFast(connection, 'refused');
    for (let i = 0; i < 30; i++) observer.tooFast(connection, 'closed');
    const entry = {
      msg: 'connection sends too fast',
      connectionId: 'c-1',
      userId: 'ann',
      remoteAddr: '::1',
    };
    expect(logged).toEqual(Array.from({ length: 10 }, () => entry));
    vi.advanceTimersByTime(1_001);
    observer.tooFast(connection, 'closed');
    expect(logged.at(-1)).toEqual({ ...entry, unlogged: 20 });
  });

  it('[L-9.13] a limit that refuses handshakes is logged at warn at most ten times within a second, otherwise at debug', () => {
    const observer = new LiveLogObserver();
    let debugged = 0;
    Logger.overrideLogger({ log: keep, error: keep, warn: keep, debug: () => (debugged += 1) });
    for (let i = 0; i < 100; i++) {
      for (const result of ['max-connections', 'max-pending-per-address', 'accepted'] as const)
        observer.handshake(result, '192.0.2.1');
    }
    const entries = (limit: string) => logged.filter((entry) => (entry as { limit: string }).limit === limit);
    expect([logged.length, debugged]).toEqual([20, 180]);
    expect(entries('max-connections')[9]).toEqual({
      msg: 'handshake refused',
      limit: 'max-connections',
      remoteAddr: '192.0.2.1',
    });
    expect(entries('max-pending-per-address').length).toBe(10);
  });

  it('[L-1.4] the first refusal of a kind in a minute is logged at warn, all others at debug', () => {
    const levels: string[] = [];
    const at = (level: string) => (entry: unknown) => {
      levels.push(`${level} ${(entry as { reason: string }).reason}`);
    };
    Logger.overrideLogger({ log: keep, error: keep, warn: at('warn'), debug: at('debug') });
    const observer = new LiveLogObserver();
    const refuse = (reason: string): void => observer.handshake('unauthorized', '192.0.2.1', reason);
    for (const reason of ['no token', 'no token', 'no sub', 'no token']) refuse(reason);
    observer.credentialRefused('no token');
    vi.advanceTimersByTime(60_000);
    refuse('no token');
    expect(levels).toEqual([
      'warn no token',
      'debug no token',
      'warn no sub',
      'debug no token',
      'warn no token',
      'warn no token',
    ]);
    levels.length = 0;
    for (let i = 0; i < 200; i++) refuse(`reason ${String(i)}`);
    expect(levels.filter((each) => each.startsWith('warn'))).toHaveLength(49);
  });

  it('[L-1.7] refused origins count as one kind, because the peer chooses the origin in the reason', () => {
    const levels: string[] = [];
    const at = (level: string) => () => void levels.push(level);
    Logger.overrideLogger({ log: keep, error: keep, warn: at('warn'), debug: at('debug') });
    const observer = new LiveLogObserver();
    for (const name of ['a', 'b', 'c'])
      observer.handshake('origin', '::1', `allowedOrigins: ['https://${name}.test']`);
    observer.handshake('unauthorized', '::1', 'no token');
    expect(levels).toEqual(['warn', 'debug', 'debug', 'warn']);
  });
});
