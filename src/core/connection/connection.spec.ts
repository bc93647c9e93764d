import { describe, expect, it } from 'vitest';
import { TestLive } from '../../testing/test-live.js';

describe('Connection', () => {
  it('the log form of a connection contains neither its cookie nor the claims of its user', () => {
    const test = new TestLive();
    const { session } = test.connect({ user: { id: 'ann', email: 'ann@example' } });
    const text = JSON.stringify(session.connection);
    expect(JSON.parse(text)).toEqual({
      id: 'connection-1',
      userId: 'ann',
      remoteAddr: '192.0.2.1',
      openedAt: test.clock.wallMs(),
      lastSeenAt: test.clock.wallMs(),
    });
  });

  it('[S10] lastSeenAt is the time of the last message or pong', async () => {
    const test = new TestLive();
    const { session, send } = test.connect();
    const { connection } = session;
    const seen = [connection.lastSeenAt - connection.openedAt];
    test.clock.advance(1_000);
    await send({ type: 'ping' });
    seen.push(connection.lastSeenAt - connection.openedAt);
    test.clock.advance(500);
    session.heard();
    seen.push(connection.lastSeenAt - connection.openedAt);
    expect(seen).toEqual([0, 1_000, 1_500]);
  });

  it('a connection closes once, with the code and reason of the first call', () => {
    const { session, socket } = new TestLive().connect();
    session.connection.close(4503, 'first');
    session.connection.close(1001, 'second');
    expect(socket.closedWith).toEqual({ code: 4503, reason: 'first' });
  });
});
