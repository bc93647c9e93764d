import { type CanActivate, Injectable } from '@nestjs/common';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LiveTestClient } from '../src/testing/index.js';
import { platforms, startLiveApp } from './support/live-app.js';
import { clientFrame, handshake, RawPeer } from './support/raw-peer.js';

const crowd = 300;
const healthy = 10;
/** Handshakes that a turn of the event loop decides. */
const perTurn = 32;
const subscribe = clientFrame('{"type":"subscribe","topic":"open/2"}');

const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Handshakes that the guard below has decided. */
const seen = { decided: 0 };

@Injectable()
class Counts implements CanActivate {
  canActivate(): boolean {
    seen.decided += 1;
    return true;
  }
}

describe.each(platforms)('1. A crowd, on %s', (_name, platform) => {
  it('[L-1.10] a crowd that connects at once is let in turn by turn, and publications go on in between', async () => {
    const { live, url } = await startLiveApp({ platform, guards: [Counts] });
    const clients = await Promise.all(Array.from({ length: healthy }, () => LiveTestClient.connect(url)));
    for (const client of clients) await client.request({ type: 'subscribe', id: 1, topic: 'open/1' });
    const port = Number(new URL(url).port);
    const peers = await Promise.all(Array.from({ length: crowd }, () => RawPeer.connect(port)));
    onTestFinished(() => peers.forEach((peer) => peer.reset()));
    // Node accepts one connection per turn of the event loop. All are to be read in the same one.
    for (let turn = 0; turn < 2 * crowd; turn++) await nextTurn();

    // Handshakes decided when each publication was made, when each turn of the event loop began,
    // and between each publication and its delivery.
    const decidedBefore = new Map<unknown, number>();
    const turns: number[] = [];
    const waits: number[] = [];
    for (const client of clients)
      client.socket.on('message', (text: Buffer) => {
        const { offset } = JSON.parse(text.toString()) as { offset: number };
        waits.push(seen.decided - (decidedBefore.get(offset) ?? 0));
      });
    const offsetsOf = ({ transcript }: LiveTestClient) =>
      transcript.filter(({ type }) => type === 'event').map(({ offset }) => offset);
    seen.decided = 0;
    for (const peer of peers) peer.send(handshake()).send(subscribe);
    const isSubscribed = (peer: RawPeer) => peer.text.includes('"subscribed"');
    let published = 0;
    while (!peers.every(isSubscribed) || clients.some((client) => offsetsOf(client).length < published)) {
      turns.push(seen.decided);
      if (seen.decided < crowd) {
        published += 1;
        decidedBefore.set(published, seen.decided);
        await live.publish('open/1', published);
      }
      await nextTurn();
    }

    expect(peers.map(({ status }) => status)).toEqual(peers.map(() => 101));
    expect(seen.decided).toBe(crowd);
    for (const client of clients)
      expect(offsetsOf(client)).toEqual(Array.from({ length: published }, (_, i) => i + 1));
    const steps = turns.map((decided, i) => decided - (turns[i - 1] ?? 0));
    expect(Math.max(...steps)).toBeLessThanOrEqual(2 * perTurn);
    expect(Math.max(...waits)).toBeLessThan(crowd / 2);
  });
});
