import { Controller, Get, Header } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { platforms, startLiveApp } from '../support/live-app.js';
import { handshake, RawPeer } from '../support/raw-peer.js';

/** Completes the slow answer. */
let answer = (): void => {};

@Controller()
class Slow {
  @Get('slow')
  @Header('Content-Type', 'text/plain')
  async slow(): Promise<string> {
    await new Promise<void>((resolve) => (answer = resolve));
    return 'slow answer';
  }

  @Get('quick')
  quick(): string {
    return 'quick answer';
  }
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const upgrade = handshake({ headers: { Authorization: 'Bearer ann' } });

describe.each(platforms)('a request before an upgrade on the same socket, on %s', (_name, platform) => {
  it('[L-1.5] an upgrade behind an unanswered request gets 400, and the server continues to work', async () => {
    const { url } = await startLiveApp({ platform, options: { port: 'app' }, controllers: [Slow] });
    const port = Number(new URL(url).port);
    for (const requests of [get('/slow'), get('/quick') + get('/slow'), get('/slow') + get('/quick')]) {
      const peer = await RawPeer.connect(port);
      peer.send(requests + upgrade);
      await peer.until(({ text }) => text.includes('HTTP/1.1 400 '));
      answer();
      await peer.closed;
      expect(peer.text).not.toContain(' 101 ');
    }
    const healthy = await RawPeer.connect(port);
    expect(await healthy.send(upgrade).answered()).toBe(101);
    healthy.reset();
  });

  it('[L-1.1] an upgrade behind an answered request is accepted', async () => {
    const { url } = await startLiveApp({ platform, options: { port: 'app' }, controllers: [Slow] });
    const peer = await RawPeer.connect(Number(new URL(url).port));
    await peer.send(get('/quick')).until(({ text }) => text.endsWith('quick answer'));
    await peer.send(upgrade).until(({ text }) => text.includes('"welcome"'));
    expect(peer.text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 101']);
    peer.reset();
  });
});
