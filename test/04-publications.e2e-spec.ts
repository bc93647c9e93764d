import { describe, expect, it } from 'vitest';
import { LiveTestClient } from '../src/testing/index.js';
import { platforms, startLiveApp } from './support/live-app.js';

describe.each(platforms)('4. Publications, on %s', (_name, platform) => {
  it('[L-4.1] gives every subscriber the same event', async () => {
    const { live, url } = await startLiveApp({ platform });
    const clients = await Promise.all(['ann', 'bob'].map((token) => LiveTestClient.connect(url, { token })));
    for (const client of clients) await client.request({ type: 'subscribe', id: 1, topic: 'open/1' });
    await live.publish('open/1', { speed: 7 }, { key: 'v1' });
    const event = { type: 'event', topic: 'open/1', offset: 1, data: { speed: 7 }, key: 'v1' };
    expect(await Promise.all(clients.map((client) => client.settle()))).toEqual([[event], [event]]);
  });
});
