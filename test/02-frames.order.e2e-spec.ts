import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { describe, expect, it, vi } from 'vitest';
import { LiveHandlers, LiveObservers } from '../src/index.js';
import { LiveTestClient } from '../src/testing/index.js';
import { WsSocket } from '../src/ws/ws-socket.js';
import { itOnSockets } from './support/door.js';
import { deferred, type Deferred } from './support/deferred.js';
import { platforms, startLiveApp } from './support/live-app.js';
import { frame, Opcode, WirePeer } from './support/wire-peer.js';

/** A handler that records when it starts and ends, and that ends when its gate opens. */
function gatedHandlers(gates: Readonly<Record<number, Deferred<void>>>) {
  const steps: string[] = [];
  const started = deferred();
  @LiveHandlers()
  class Gated {
    @SubscribeMessage('step')
    async step(@MessageBody() { n }: { n: number }): Promise<number> {
      steps.push(`start ${String(n)}`);
      started.resolve();
      await gates[n]?.promise;
      steps.push(`end ${String(n)}`);
      return n;
    }
  }
  return { steps, started, Gated };
}

describe.each(platforms)('2. Order, on %s', (_name, platform) => {
  it('[L-2.8] application messages are handled in order, one at a time, and an invalid message is refused at once', async () => {
    const gates = { 1: deferred(), 2: deferred() };
    const { steps, started, Gated } = gatedHandlers(gates);
    const { url } = await startLiveApp({ platform, providers: [Gated] });
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    await client.next();
    for (const n of [1, 2, 3]) client.send({ type: 'step', id: n, n });
    client.send('no JSON');
    await started.promise;
    // The second handler could end first if it had started already.
    gates[2].resolve();
    await (await LiveTestClient.connect(url, { token: 'bob' })).settle();
    gates[1].resolve();
    expect(await client.settle()).toEqual([
      { type: 'error', code: 'protocol-violation', message: 'Invalid message envelope' },
      { type: 'step', id: 1, data: 1 },
      { type: 'step', id: 2, data: 2 },
      { type: 'step', id: 3, data: 3 },
    ]);
    expect(steps).toEqual(['start 1', 'end 1', 'start 2', 'end 2', 'start 3', 'end 3']);
  });

  it('[L-2.8] a slow handler of one connection does not delay another connection', async () => {
    const gates = { 1: deferred() };
    const { started, Gated } = gatedHandlers(gates);
    const { url } = await startLiveApp({ platform, providers: [Gated] });
    const [ann, bob] = await Promise.all(
      ['ann', 'bob'].map((token) => LiveTestClient.connect(url, { token })),
    );
    ann?.send({ type: 'step', n: 1 });
    await started.promise;
    expect(await bob?.request({ type: 'step', id: 2, n: 2 })).toEqual({ type: 'step', id: 2, data: 2 });
    expect(ann?.transcript).toHaveLength(1);
    gates[1].resolve();
  });

  /**
   * A peer sends 10,000 messages behind one whose handler is stuck. The messages that the server
   * reads are counted: at most the bound plus one read of the socket (64 KiB).
   */
  // A POST is answered 429 instead [L-12.8].
  itOnSockets(
    '[L-2.8] the server stops reading while 64 messages wait, and handles the rest once it has caught up',
    async () => {
      const paused = deferred();
      const pause = vi.spyOn(WsSocket.prototype, 'pause').mockImplementation(function (this: WsSocket) {
        pause.mockRestore();
        this.pause();
        paused.resolve();
      });
      const gates = { 0: deferred() };
      const { steps, Gated } = gatedHandlers(gates);
      const { url, app } = await startLiveApp({
        platform,
        providers: [Gated],
        options: { dangerouslyUnlimitedInbound: true },
      });
      let taken = 0;
      app.get(LiveObservers).add({
        inbound: (type) => {
          if (type === 'step') taken += 1;
        },
      });
      const peer = await WirePeer.open(url);
      const padding = 'x'.repeat(1_000);
      const message = (n: number): Buffer =>
        frame(Opcode.text, JSON.stringify({ type: 'step', id: n, n, padding }));
      const messages = Array.from({ length: 10_000 }, (_, n) => message(n));
      peer.send(...messages);
      await paused.promise;
      // The server serves another client many times and reads nothing more from this peer.
      const other = await LiveTestClient.connect(url, { token: 'bob' });
      const takenThen = taken;
      for (let i = 0; i < 50; i++) await other.settle();
      expect(taken).toBe(takenThen);
      expect(taken).toBeGreaterThanOrEqual(65);
      expect(taken).toBeLessThanOrEqual(65 + Math.ceil(65_536 / (messages[0]?.byteLength ?? 1)));
      expect(steps).toEqual(['start 0']);

      gates[0].resolve();
      for (let n = 0; n < messages.length; n++) {
        const { id } = await peer.message();
        if (id !== n) expect(id).toBe(n);
      }
      expect(taken).toBe(messages.length);
    },
  );
});
