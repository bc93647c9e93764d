import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LiveTopic } from '../src/index.js';
import { ask, besideOf } from './support/event-peer.js';
import { type LiveAppOptions, platforms, startLiveApp } from './support/live-app.js';

let undecided = false;

@LiveTopic('kept/*', { history: { size: 100 } })
class Kept {
  canSubscribe(): boolean {
    if (undecided) throw new Error('later');
    return true;
  }
}

const start = (setup: LiveAppOptions = {}) =>
  startLiveApp({ providers: [Kept], ...setup, options: { sse: true, ...setup.options } });

/** What an `EventSource` does: it reads, and opens the stream again from the last id. */
class Listener {
  text = '';
  over = false;

  constructor(url: string, topics: string, lastEventId?: string) {
    const headers = { authorization: 'Bearer ann', accept: 'text/event-stream' };
    const stream = request(
      besideOf(url, `/events?topics=${encodeURIComponent(topics)}`),
      {
        headers: { ...headers, ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) },
        agent: false,
      },
      (response) => {
        response.setEncoding('utf8').on('data', (chunk: string) => (this.text += chunk));
        response.on('end', () => (this.over = true)).on('error', () => {});
      },
    );
    stream.on('error', () => {});
    stream.end();
    onTestFinished(() => void stream.destroy());
  }

  /** Events without a name, with the ids and messages. */
  get events(): { readonly id: string; readonly message: Record<string, unknown> }[] {
    return [...this.text.matchAll(/^id: (.*)\n(?:retry: .*\n)?data: (.*)\n\n/gm)].map(
      ([, id = '', data = '']) => ({
        id,
        message: JSON.parse(data) as Record<string, unknown>,
      }),
    );
  }

  get topicMessages(): Record<string, unknown>[] {
    return this.events.map(({ message }) => message).filter(({ type }) => type !== 'welcome');
  }

  async until(fulfilled: () => boolean): Promise<void> {
    const endMs = performance.now() + 5_000;
    while (!fulfilled()) {
      if (performance.now() > endMs) throw new Error(`Not in time; got ${this.text}`);
      await sleep(5);
    }
  }
}

describe.each(platforms)('12. Streams that only listen, on %s', (_name, platform) => {
  it('[L-12.12] the topics of the query are subscribed to, and a stream resumes from its last id', async () => {
    const { url, live } = await start({ platform });
    await live.publish('kept/b', 'before');
    const first = new Listener(url, 'kept/a,kept/b');
    await first.until(() => first.topicMessages.length === 2);
    await live.publish('kept/a', 1);
    await live.publish('kept/a', { text: 'two\n\nlines, and ünïcödé' });
    await first.until(() => first.topicMessages.length === 4);
    expect(first.topicMessages).toMatchObject([
      { type: 'subscribed', topic: 'kept/a', offset: 0, recovered: false },
      { type: 'subscribed', topic: 'kept/b', offset: 1, recovered: false },
      { type: 'event', topic: 'kept/a', offset: 1, data: 1 },
      { type: 'event', topic: 'kept/a', offset: 2, data: { text: 'two\n\nlines, and ünïcödé' } },
    ]);
    expect(first.text).not.toContain('event: session');
    const id = first.events.at(-2)?.id;
    await live.publish('kept/b', 'later');
    const again = new Listener(url, 'kept/a,kept/b', id);
    await again.until(() => again.topicMessages.length === 4);
    const of = (topic: string) => again.topicMessages.filter((message) => message['topic'] === topic);
    expect(of('kept/a')).toMatchObject([
      { recovered: true, offset: 1 },
      { type: 'event', offset: 2 },
    ]);
    expect(of('kept/b')).toMatchObject([
      { recovered: true, offset: 1 },
      { type: 'event', data: 'later' },
    ]);
  });

  it('[L-12.12] an id that cannot be read, or of another query, is no position', async () => {
    const { url, live } = await start({ platform });
    await live.publish('kept/a', 1);
    for (const id of ['x', 'e:1,e:2', '%:1', 'e:-1', 'e:99999999999999999', ':1']) {
      const listener = new Listener(url, 'kept/a', id);
      await listener.until(() => listener.topicMessages.length === 1);
      expect(listener.topicMessages).toMatchObject([{ type: 'subscribed', offset: 1, recovered: false }]);
    }
  });

  it('[L-12.12] a query of other than different topics, or of too many, is answered 400', async () => {
    const { url } = await start({ platform, options: { maxTopicsPerConnection: 2 } });
    for (const topics of ['', 'a//b', 'kept/a,kept/a', 'kept/a,', '$system', 'a,b,c']) {
      const path = `/events?topics=${encodeURIComponent(topics)}`;
      const { status, body } = await ask(url, { path, headers: { authorization: 'Bearer ann' } });
      expect([status, body]).toEqual([400, expect.stringMatching(/topics/)]);
    }
  });

  it('[L-12.12] a subscribe that fails for now ends the stream, which says when to come again', async () => {
    const { url } = await start({ platform });
    undecided = true;
    onTestFinished(() => void (undecided = false));
    const listener = new Listener(url, 'kept/a');
    await listener.until(() => listener.over);
    expect(listener.topicMessages).toMatchObject([{ type: 'error', code: 'unavailable' }]);
    expect(listener.text).toMatch(/\nretry: [1-9]\d*\ndata: /);
    expect(listener.text).toMatch(/event: close\ndata: {"code":1013,"reason":"try again later"}\n\n$/);
  });

  it('[L-12.12] a listener is alive while it reads, without a POST', async () => {
    const { url, live } = await start({ platform, options: { pingIntervalMs: 20, pongTimeoutMs: 50 } });
    const listener = new Listener(url, 'kept/a');
    await listener.until(() => (listener.text.match(/event: ping/g)?.length ?? 0) > 10);
    await live.publish('kept/a', 1);
    await listener.until(() => listener.topicMessages.length === 2);
    expect(listener.over).toBe(false);
  });
});
