import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Live } from '../../src/core/live.js';
import { LiveModule, LiveService } from '../../src/index.js';
import { LiveMetrics, LiveMetricsModule } from '../../src/nest/metrics/index.js';
import { LiveTestClient } from '../../src/testing/index.js';
import { BearerIsUser, platforms, startLiveApp } from '../support/live-app.js';
import { createHost } from './support/host-app.js';
import { LogRecorder } from './support/log-recorder.js';
import { refusalOf } from './support/refusal-of.js';

const isRefusal = (entry: unknown): boolean => (entry as { msg?: string }).msg === 'handshake refused';

describe.each(platforms)('A proxy in front, on %s', (_name, platform) => {
  it('[L-9.14] one warning names a proxy that trustedProxies lacks', async () => {
    const log = new LogRecorder();
    const { url } = await startLiveApp({
      platform,
      options: { trustedProxies: ['10.0.0.0/8'] },
      before: log.use,
    });
    for (const from of ['203.0.113.1', '203.0.113.2']) {
      const headers = { 'x-forwarded-for': from };
      const client = await LiveTestClient.connect(url, { token: 'ann', headers });
      void client.close();
    }
    expect(log.live('warn').filter((entry) => String(entry).startsWith('X-Forwarded-For'))).toEqual([
      'X-Forwarded-For comes from 127.0.0.1, which is not in trustedProxies, and is not believed: all clients behind it ' +
        "count as one address. If it is a proxy of yours, name it: trustedProxies: ['127.0.0.1'].",
    ]);
  });

  it.each([0, 'app'] as const)(
    '[L-1.8] a handshake whose Upgrade header a proxy removed gets 426, and is logged and counted, on port %s',
    async (port) => {
      const log = new LogRecorder();
      const { app, url } = await startLiveApp({
        platform,
        options: { port, trustedProxies: 1 },
        imports: [LiveMetricsModule],
        before: log.use,
      });
      const headers = { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==', 'X-Forwarded-For': '203.0.113.7' };
      const reason = 'The Upgrade header is missing: a proxy in front must pass Upgrade and Connection';
      for (let n = 0; n < 2; n++) {
        const answer = await fetch(url.replace('ws:', 'http:'), { headers });
        expect([answer.status, answer.headers.get('upgrade'), await answer.json()]).toEqual([
          426,
          'websocket',
          { statusCode: 426, error: 'Upgrade Required', message: reason },
        ]);
      }
      const entry = {
        msg: 'handshake refused',
        result: 'upgrade-missing',
        remoteAddr: '203.0.113.7',
        reason,
      };
      expect([log.live('warn'), log.live('debug')].map((entries) => entries.filter(isRefusal))).toEqual([
        [entry],
        [entry],
      ]);
      expect(await app.get(LiveMetrics).text()).toContain('handshakes_total{result="upgrade-missing"} 2');
    },
  );

  it("[L-1.4] a plain request is logged on the live server's own port, and passed on at the application's port", async () => {
    const log = new LogRecorder();
    const own = await startLiveApp({ platform, before: log.use });
    expect((await fetch(own.url.replace('ws:', 'http:'))).status).toBe(404);
    expect(log.live('warn').filter(isRefusal)).toMatchObject([
      { result: 'not-found', remoteAddr: '127.0.0.1' },
    ]);
    const shared = await startLiveApp({ platform, options: { port: 'app' }, before: log.use });
    expect((await fetch(shared.url.replace('ws:', 'http:'))).status).toBe(404);
    const key = { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' };
    const elsewhere = await fetch(`${shared.httpUrl}/other`, { headers: key });
    expect([elsewhere.status, log.live('warn').filter(isRefusal).length]).toEqual([404, 1]);
    expect((await refusalOf(`${shared.url}/other`)).statusCode).toBe(404);
    expect(log.live('warn').filter(isRefusal)).toMatchObject([
      { reason: 'Only WebSocket upgrades are served here' },
      { reason: 'No WebSocket endpoint at this path' },
    ]);
  });

  it.each([0, 'app'] as const)(
    '[L-1.7] requireOrigin refuses a cookie without an origin, on port %s',
    async (port) => {
      const options = { port, requireOrigin: true, allowedOrigins: ['https://app.example'] };
      const { url } = await startLiveApp({ platform, options });
      const cookie = 'a=b';
      expect(await refusalOf(url, { token: 'ann', headers: { cookie } })).toMatchObject({
        statusCode: 403,
        body: { message: 'Origin refused: origin-missing' },
      });
      const origin = 'https://app.example';
      const page = await LiveTestClient.connect(url, { token: 'ann', headers: { cookie, origin } });
      void page.close();
      const program = await LiveTestClient.connect(url, { token: 'ann' });
      void program.close();
    },
  );

  it('[L-9.14] a Unix socket has a url and gets the client address from the proxy', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'live-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const log = new LogRecorder();
    for (const trustedProxies of [0, 1]) {
      const path = join(folder, `app-${String(trustedProxies)}.sock`);
      const guarded = { guards: [BearerIsUser], trustedProxies };
      const app = await createHost(platform, {
        imports: [LiveModule.forRoot({ port: 'app', ...guarded })],
      });
      await app.listen(path);
      const own = join(folder, `own-${String(trustedProxies)}.sock`);
      const other = await createHost(platform, {
        imports: [LiveModule.forRoot({ socketPath: own, ...guarded })],
      });
      await other.init();
      other.useLogger(log);
      const urls = [app, other].map((each) => each.get(LiveService).url());
      expect(urls).toEqual([`ws+unix:${path}:/live`, `ws+unix:${own}:/live`]);
      for (const [i, url] of urls.entries()) {
        const headers = { 'x-forwarded-for': '203.0.113.1' };
        const client = await LiveTestClient.connect(url, { token: 'ann', headers });
        await client.nextOf('welcome');
        const [connection] = [...(i === 0 ? app : other).get(Live).registry];
        expect(connection?.remoteAddr).toBe(trustedProxies === 0 ? 'unknown' : '203.0.113.1');
        void client.close();
      }
    }
    const warning =
      'X-Forwarded-For comes from a Unix socket, which is not in trustedProxies, and is not believed: all clients behind it ' +
      'count as one address. If it is a proxy of yours, name it: trustedProxies: 1 (the number of proxies, since a Unix ' +
      'socket has no address).';
    const warnings = log.live('warn').filter((entry) => String(entry).startsWith('X-Forwarded-For'));
    expect(warnings).toEqual([warning, warning]);
  });
});
