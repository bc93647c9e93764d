import { Injectable } from '@nestjs/common';
import { SubscribeMessage, type OnGatewayConnection } from '@nestjs/websockets';
import { describe, expect, it } from 'vitest';
import { LiveHandlers, LiveObservers, LiveTopic } from '../../src/index.js';
import { LiveTestClient } from '../../src/testing/index.js';
import { OpenTopics, platforms, startLiveApp } from '../support/live-app.js';
import { LogRecorder } from './support/log-recorder.js';

@LiveTopic('broken/*')
class BrokenTopics {
  canSubscribe(): never {
    throw new Error('the check');
  }
}

@LiveHandlers()
class Own implements OnGatewayConnection {
  handleConnection(): Promise<void> {
    return Own.hookFails ? Promise.reject(new Error('the hook')) : Promise.resolve();
  }

  @SubscribeMessage('fail')
  fail(): never {
    throw new Error('the handler');
  }

  static hookFails = false;
}

/** Reports to an error tracker, as in the README. */
@Injectable()
class Tracker {
  static readonly captured: string[] = [];

  constructor(observers: LiveObservers) {
    observers.add({ failed: (_doing, error) => Tracker.captured.push((error as Error).message) });
  }
}

const providers = [OpenTopics, BrokenTopics, Own, Tracker];

describe.each(platforms)('LiveObservers, on %s', (_name, platform) => {
  it("[S8] an observer gets every failure of the application's topics, handlers and hooks", async () => {
    Tracker.captured.length = 0;
    Own.hookFails = false;
    const { url } = await startLiveApp({
      platform,
      providers,
      options: {
        onClose: () => {
          throw new Error('the onClose');
        },
      },
    });
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    await client.request({ type: 'subscribe', id: 1, topic: 'broken/1' });
    await client.request({ type: 'fail', id: 2 });
    await client.close();
    Own.hookFails = true;
    await (
      await LiveTestClient.connect(url, { token: 'ann' })
    ).closed;
    await expect.poll(() => Tracker.captured).toHaveLength(5);
    expect(new Set(Tracker.captured)).toEqual(
      new Set(['the check', 'the handler', 'the onClose', 'the hook']),
    );
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('by the observer');
      },
    ],
    ['rejects', () => Promise.reject(new Error('by the observer'))],
  ])('[S8] an observer that %s stops nothing and is logged', async (_how, fail) => {
    Own.hookFails = false;
    const log = new LogRecorder();
    const { app, live, url } = await startLiveApp({ platform, providers, before: log.use });
    const strays: unknown[] = [];
    const stray = (error: unknown): void => void strays.push(error);
    process.on('unhandledRejection', stray);
    app.get(LiveObservers).add({
      opened: fail,
      closed: fail,
      inbound: fail,
      outbound: fail,
      refused: fail,
      failed: fail,
      handshake: fail,
    });
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    expect(await client.request({ type: 'subscribe', id: 1, topic: 'open/1' })).toMatchObject({
      type: 'subscribed',
    });
    expect(await client.request({ type: 'fail', id: 2 })).toMatchObject({ code: 'internal' });
    await live.publish('open/1', 7);
    expect(await client.nextOf('event')).toMatchObject({ data: 7 });
    await client.close();
    await expect.poll(() => live.stats().connections).toBe(0);
    process.off('unhandledRejection', stray);
    expect(strays).toEqual([]);
    expect(log.live('error')).toContainEqual(expect.objectContaining({ msg: 'an observer failed' }));
  });
});
