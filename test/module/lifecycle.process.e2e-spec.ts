import { beforeAll, describe, expect, it } from 'vitest';
import { LiveTestClient } from '../../src/testing/index.js';
import { platforms } from '../support/live-app.js';
import { buildIfMissing, Child } from './support/child.js';

beforeAll(buildIfMissing, 120_000);

describe.each(platforms)('An application as a process, on %s', (_name, platform) => {
  describe.each(['0', 'app'])('with the live server on port %s', (port) => {
    it('[S16] a process with enableShutdownHooks() drains at SIGTERM and exits with 0', async () => {
      const child = new Child('live-process.mjs', [platform, port]);
      const client = await LiveTestClient.connect(await child.line());
      expect(await client.request({ type: 'subscribe', id: 1, topic: 'news' })).toMatchObject({
        type: 'subscribed',
      });
      child.signal('SIGTERM');
      expect(await client.closed).toEqual({ code: 1001, reason: 'server shutting down' });
      expect(await child.ended).toBe(0);
      expect(child.stderr).toBe('');
    });

    it('[S11] a process ends by itself after app.close(), with no timer or socket left', async () => {
      const child = new Child('live-process.mjs', [platform, port, 'close-on-input']);
      const url = await child.line();
      const clients = await Promise.all([1, 2, 3].map(() => LiveTestClient.connect(url)));
      await clients[0]?.request({ type: 'subscribe', id: 1, topic: 'news' });
      child.write('close\n');
      expect(await child.ended).toBe(0);
      expect(child.stdout).toContain('closed\n');
      expect(child.stderr).toBe('');
    });
  });
});

describe('An application without an HTTP server, as a process', () => {
  it('[S11] a process without an HTTP server ends without app.close(), as the heartbeat does not hold it open', async () => {
    const child = new Child('live-process.mjs', ['worker', '0']);
    expect(await child.line()).toBe('published 1');
    expect(await child.ended).toBe(0);
  });
});
