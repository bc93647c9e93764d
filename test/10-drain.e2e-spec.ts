import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { describe, expect, it, vi } from 'vitest';
import { CloseCode, ConnectionRegistry, LiveLifecycle, LiveObservers } from '../src/index.js';
import { HandshakeRefused, LiveTestClient } from '../src/testing/index.js';
import type { LiveSocket } from '../src/core/ports/socket.js';
import { EventSocket } from '../src/sse/event-socket.js';
import { WsSocket } from '../src/ws/ws-socket.js';
import { itOnSockets, onStreams } from './support/door.js';
import { deferred } from './support/deferred.js';
import { BearerIsUser, type LiveAppOptions, platforms, startLiveApp } from './support/live-app.js';
import { closeOf, frame, Opcode, texts, WirePeer } from './support/wire-peer.js';

const goingAway = { code: 1001, reason: 'server shutting down' };

/** Every port that accepts peers, on every platform. */
const places = platforms.flatMap(([name, platform]) => [
  [name, 'its own port', { platform, options: { port: 0 } }] as const,
  [name, "the application's port", { platform, options: { port: 'app' } }] as const,
]);

const Socket = onStreams ? EventSocket : WsSocket;

describe.each(places)('10. Drain, on %s, %s', (_name, _where, place: LiveAppOptions) => {
  it('[L-10.1] a drain closes each connection with 1001 after everything already queued for it', async () => {
    const { app, live, url } = await startLiveApp(place);
    const clients = await Promise.all(['ann', 'bob'].map((token) => LiveTestClient.connect(url, { token })));
    for (const client of clients) await client.request({ type: 'subscribe', id: 1, topic: 'open/1' });
    const data = 'x'.repeat(1_000);
    for (let i = 0; i < 500; i++) await live.publish('open/1', data);
    const closed = app.close();
    for (const client of clients) {
      expect(await client.closed).toEqual(goingAway);
      const offsets = client.transcript.slice(2).map(({ offset }) => offset);
      expect(offsets).toEqual(Array.from({ length: 500 }, (_, i) => i + 1));
    }
    await closed;
  });

  it('[L-10.6] each of 200 clients gets a slot, hears publications, and is closed after its slot', async () => {
    const { app, live, url } = await startLiveApp({
      ...place,
      options: { ...place.options, drainWindowMs: 1_000 },
    });
    const clients: LiveTestClient[] = [];
    for (let i = 0; i < 200; i++) clients.push(await LiveTestClient.connect(url, { token: 'ann' }));
    for (const client of clients) await client.request({ type: 'subscribe', id: 1, topic: 'open/1' });
    const startMs = performance.now();
    const ends = clients.map(async ({ closed }) => [await closed, performance.now() - startMs] as const);
    const closed = app.close();
    await Promise.all(clients.map((client) => client.next()));
    const { offset } = await live.publish('open/1', 'still there');
    const slots = clients.map(({ transcript }) => transcript.find(({ type }) => type === 'draining'));
    expect(slots[0]).toEqual({ type: 'draining', reconnectAfterMs: 0, windowMs: 250 });
    expect(Number(slots[199]?.['reconnectAfterMs'])).toBeGreaterThan(800);
    const all = await Promise.all(ends);
    expect(all.map(([how]) => how)).toEqual(clients.map(() => goingAway));
    for (const [i, [, atMs]] of all.entries())
      expect(atMs).toBeGreaterThan(Number(slots[i]?.['reconnectAfterMs']) + 1_700);
    const heard = clients.filter(({ transcript }) =>
      transcript.some((message) => message.offset === offset && message.type === 'event'),
    );
    expect(heard.length).toBeGreaterThan(150);
    await closed;
  });

  it('[L-10.1] during the drain notice a server is not ready, but accepts clients', async () => {
    const { app, url } = await startLiveApp({
      ...place,
      options: { ...place.options, drainNoticeMs: 300 },
    });
    const first = await LiveTestClient.connect(url, { token: 'ann' });
    const closed = app.close();
    await expect.poll(() => app.get(LiveLifecycle).state).toBe('stopping');
    const late = await LiveTestClient.connect(url, { token: 'bob' });
    expect(await late.request({ type: 'subscribe', id: 1, topic: 'open/1' })).toMatchObject({
      type: 'subscribed',
    });
    expect([await first.closed, await late.closed]).toEqual([goingAway, goingAway]);
    await closed;
  });

  it('[L-10.1] a draining server answers new handshakes with 503', async () => {
    const { app, url } = await startLiveApp(place);
    const peer = await WirePeer.open(url);
    const closed = app.close();
    // The peer has not answered its close frame, so the drain goes on.
    const asked = await peer.frame();
    expect(closeOf(asked)).toEqual(goingAway);
    const refusal = await LiveTestClient.connect(url, { token: 'bob' }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(HandshakeRefused);
    const { statusCode, headers, body } = refusal as HandshakeRefused;
    const answer = { statusCode: 503, error: 'Service Unavailable', message: 'The server is shutting down' };
    expect([statusCode, headers['retry-after'], body]).toEqual([503, '1', answer]);
    peer.send(frame(Opcode.close, asked.payload));
    await closed;
    await peer.closed;
  });

  it('[L-10.1] a drain first reports not ready, then refuses pending handshakes, then closes connections', async () => {
    const steps: string[] = [];
    const asked = deferred();
    @Injectable()
    class SlowForBob extends BearerIsUser implements CanActivate {
      override canActivate(context: ExecutionContext): boolean {
        const allowed = super.canActivate(context);
        const request = context.switchToHttp().getRequest<{ headers: { authorization: string } }>();
        if (!request.headers.authorization.endsWith('bob')) return allowed;
        asked.resolve();
        return new Promise(() => {}) as unknown as boolean;
      }
    }
    const { app, url } = await startLiveApp({
      ...place,
      guards: [SlowForBob],
      before: (early) => {
        // Runs before the module's steps: the HTTP adapter's own preparation for a stop.
        const adapter = early.getHttpAdapter() as { beforeClose?: () => void };
        adapter.beforeClose = () => void note('asked to stop');
      },
    });
    const lifecycle = app.get(LiveLifecycle);
    const note = (what: string): number => steps.push(`${lifecycle.state}: ${what}`);
    note('started');
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    const pending = LiveTestClient.connect(url, { token: 'bob' }).catch((error: unknown) => error);
    await asked.promise;
    app.get(LiveObservers).add({ handshake: (result) => void note(`handshake ${result}`) });
    const close = vi.spyOn(Socket.prototype, 'close').mockImplementation(function (
      this: LiveSocket,
      code,
      reason,
    ) {
      close.mockRestore();
      note(`close ${String(code)}`);
      this.close(code, reason);
    });
    await app.close();
    note('closed');
    expect(await client.closed).toEqual(goingAway);
    expect(await pending).toMatchObject({ statusCode: 503 });
    expect(steps).toEqual([
      'ready: started',
      'stopping: asked to stop',
      'draining: handshake unavailable',
      'draining: close 1001',
      'stopped: closed',
    ]);
  });

  itOnSockets(
    '[L-10.1] a draining server handles no more messages of a peer that it asked to leave',
    async () => {
      const { app, live, url } = await startLiveApp(place);
      const peer = await WirePeer.open(url);
      const closed = app.close();
      const asked = await peer.frame();
      peer.send(
        texts({ type: 'subscribe', topic: 'open/1' }, { type: 'ping' }),
        frame(Opcode.close, asked.payload),
      );
      expect(await peer.rest()).toEqual([]);
      await closed;
      expect(live.stats()).toMatchObject({ connections: 0, subscriptions: 0 });
    },
  );

  // A stream ends with its close, which nobody answers [L-12.6].
  itOnSockets(
    '[L-10.2] a drain terminates a peer that has not answered the close frame by the deadline',
    async () => {
      const options = { ...place.options, drainTimeoutMs: 100 };
      const { app, url } = await startLiveApp({ ...place, options });
      const mute = await WirePeer.open(url);
      const polite = await LiveTestClient.connect(url, { token: 'bob' });
      const ends: string[] = [];
      app
        .get(LiveObservers)
        .add({ closed: ({ user }, code) => ends.push(`${String(user?.id)} ${String(code)}`) });
      const before = performance.now();
      await app.close();
      // Well before `ws` itself would give up, after 3 s.
      expect(performance.now() - before).toBeLessThan(2_500);
      expect(await polite.closed).toEqual(goingAway);
      expect((await mute.rest()).map(closeOf)).toEqual([goingAway]);
      expect(ends).toEqual(['bob 1001', 'ann 1001']);
    },
  );

  /** This peer over real TCP has stopped reading and never sees the close frame. */
  it('[L-10.2] a drain terminates a peer that does not read by the deadline', async () => {
    const options = { ...place.options, drainTimeoutMs: 100, backPressureThresholdBytes: 64 * 1024 * 1024 };
    const { app, live, url } = await startLiveApp({ ...place, options });
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    await client.request({ type: 'subscribe', id: 1, topic: 'open/1' });
    client.socket.pause();
    const data = 'x'.repeat(1024 * 1024);
    while (live.stats().queuedBytes < 1024 * 1024) {
      await live.publish('open/1', data);
      await new Promise(setImmediate);
    }
    await app.close();
    expect(live.stats()).toMatchObject({ connections: 0, queuedBytes: 0 });
    client.socket.resume();
    expect(await client.closed).toEqual({ code: 1006, reason: '' });
  });
});

describe.each(platforms)('10. Close reasons, on %s', (_name, platform) => {
  it.each([
    ['short', 'session ended', 'session ended'],
    ['of 123 bytes', 'x'.repeat(123), 'x'.repeat(123)],
    ['of 124 bytes', 'x'.repeat(124), 'x'.repeat(123)],
    ['of two-byte characters', 'ü'.repeat(62), 'ü'.repeat(61)],
    ['of three-byte characters', '€'.repeat(42), '€'.repeat(41)],
    ['of four-byte characters', '😀'.repeat(40), '😀'.repeat(30)],
    ['with half a surrogate pair', 'a\ud83d', 'a\ufffd'],
    ['that is empty', '', ''],
  ])('[L-10.4] a close reason %s is sent, cut to 123 bytes', async (_what, reason, sent) => {
    const { app, url } = await startLiveApp({ platform });
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    const welcome = await client.next();
    const id = welcome['connectionId'] as string;
    expect(app.get(ConnectionRegistry).disconnect(id, CloseCode.disconnected, reason)).toBe(1);
    expect(await client.closed).toEqual({ code: 4503, reason: sent });
  });
});
