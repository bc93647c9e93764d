import { describe, expect, it } from 'vitest';
import { LiveTestClient } from '../../src/testing/index.js';
import { platforms, startLiveApp } from '../support/live-app.js';
import { LogRecorder } from './support/log-recorder.js';

describe.each(platforms)('A proxy in front, on %s', (_name, platform) => {
  it('[L-9.14] a proxy that trustedProxies lacks is named in one warning', async () => {
    const log = new LogRecorder();
    const { url } = await startLiveApp({
      platform,
      options: { trustedProxies: ['10.0.0.0/8'] },
      before: log.use,
    });
    for (const from of ['203.0.113.1', '203.0.113.2']) {
      const headers = { 'x-forwarded-for': from };
      const client = await LiveTestClient.connect(url, { token: 'ann', headers });
      client.close();
    }
    expect(log.live('warn').filter((entry) => String(entry).startsWith('X-Forwarded-For'))).toEqual([
      'X-Forwarded-For comes from 127.0.0.1, which is not in trustedProxies, and is not believed: all clients behind it ' +
        "count as one address. If it is a proxy of yours, name it: trustedProxies: ['127.0.0.1'].",
    ]);
  });
});
