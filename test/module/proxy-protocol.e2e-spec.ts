import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Controller, Get, Ip } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Live } from '../../src/core/live.js';
import { LiveModule, type LiveModuleOptions } from '../../src/index.js';
import { LiveMetrics, LiveMetricsModule } from '../../src/nest/metrics/index.js';
import { type LiveApp, type Platform, platforms, startLiveApp } from '../support/live-app.js';
import { makeCertificate } from '../support/certificate.js';
import { describeWith, openssl } from '../support/programs.js';
import { proxyHeaderV2 } from '../support/proxy-header.js';
import { handshake } from '../support/raw-peer.js';
import { LogRecorder } from './support/log-recorder.js';

@Controller()
class AddressController {
  @Get('ip')
  address(@Ip() ip: string): string {
    return ip;
  }
}

/** Sends these bytes and resolves with the first that come back. */
function ask(port: number, header: Buffer, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  return answerOf(socket, () => socket.write(Buffer.concat([header, Buffer.from(text)])));
}

/** The same over TLS, which starts after the header. */
async function askTls(port: number, header: Buffer, text: string): Promise<string> {
  const raw = connect(port, '127.0.0.1');
  raw.write(header);
  const socket = connectTls({ socket: raw, rejectUnauthorized: false });
  return answerOf(socket, () => socket.write(text));
}

function answerOf(socket: Socket, send: () => void): Promise<string> {
  onTestFinished(() => void socket.destroy());
  return new Promise((resolve) => {
    socket.once('data', (chunk: Buffer) => resolve(chunk.toString('latin1')));
    socket.on('error', ({ message }) => resolve(message));
    socket.on('close', () => resolve(''));
    send();
  });
}

const hello = handshake({ headers: { Authorization: 'Bearer ann' } });
const headers = (address: string): Buffer[] => [
  Buffer.from(`PROXY TCP4 ${address} 10.0.0.1 4711 8081\r\n`),
  proxyHeaderV2({ address, more: 20 }),
];

const remoteAddresses = ({ app }: LiveApp): string[] =>
  [...app.get(Live).registry].map(({ remoteAddr }) => remoteAddr);

describe.each(platforms)('The PROXY protocol, on %s', (_name, platform) => {
  const start = (options: LiveModuleOptions, log = new LogRecorder()): Promise<LiveApp> =>
    startLiveApp({
      platform,
      options,
      controllers: [AddressController],
      imports: [LiveMetricsModule],
      before: log.use,
    });

  it.each([
    [0, 1],
    [0, ['127.0.0.1']],
    ['app', 1],
    ['app', ['127.0.0.1']],
  ] as const)(
    '[L-9.14] a PROXY header gives limits, guards and requests the client address, on port %s with %j trusted',
    async (port, trustedProxies) => {
      const live = await start({ port, trustedProxies, proxyProtocol: true, maxConnectionsPerAddress: 2 });
      const to = Number(new URL(live.url).port);
      for (const address of ['203.0.113.7', '203.0.113.8'])
        for (const header of headers(address)) expect(await ask(to, header, hello)).toContain(' 101 ');
      expect(remoteAddresses(live).toSorted()).toEqual([
        '203.0.113.7',
        '203.0.113.7',
        '203.0.113.8',
        '203.0.113.8',
      ]);
      for (const header of headers('203.0.113.7')) expect(await ask(to, header, hello)).toContain(' 429 ');
      // The client itself is not trusted to set this header.
      const forged = handshake({
        headers: { Authorization: 'Bearer ann', 'X-Forwarded-For': '198.51.100.1' },
      });
      expect(await ask(to, proxyHeaderV2({ address: '203.0.113.7' }), forged)).toContain(' 429 ');
      if (port === 'app') {
        const answer = await ask(
          to,
          proxyHeaderV2({ address: '203.0.113.9' }),
          'GET /ip HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
        );
        expect(answer).toMatch(/ 200 [^]*203\.0\.113\.9$/);
      }
      expect(await ask(to, Buffer.alloc(0), hello)).toContain(' 400 ');
    },
  );

  it('[L-9.14] behind two proxies, the PROXY header names the outer one and X-Forwarded-For the client', async () => {
    const live = await start({ trustedProxies: 2, proxyProtocol: true });
    const forwarded = handshake({
      headers: { Authorization: 'Bearer ann', 'X-Forwarded-For': '6.6.6.6, 203.0.113.7' },
    });
    const to = Number(new URL(live.url).port);
    expect(await ask(to, proxyHeaderV2({ address: '192.0.2.1' }), forwarded)).toContain(' 101 ');
    expect(remoteAddresses(live)).toEqual(['203.0.113.7']);
  });

  it.each([
    [0, {}],
    ['app', {}],
    [0, { proxyProtocol: true, trustedProxies: ['10.0.0.0/8'] }],
    ['app', { proxyProtocol: true, trustedProxies: ['10.0.0.0/8'] }],
  ] as const)(
    '[L-9.14] an unexpected PROXY header is refused, warned about once and counted, on port %s with %j',
    async (port, options) => {
      const log = new LogRecorder();
      const live = await start({ port, ...options }, log);
      const to = Number(new URL(live.url).port);
      for (const header of headers('203.0.113.7')) expect(await ask(to, header, hello)).toContain(' 400 ');
      expect(remoteAddresses(live)).toEqual([]);
      const isIt = (entry: unknown): boolean => (entry as { result?: string }).result === 'proxy-protocol';
      expect([log.live('warn').filter(isIt), log.live('debug').filter(isIt).length]).toEqual([
        [
          {
            msg: 'handshake refused',
            result: 'proxy-protocol',
            remoteAddr: '127.0.0.1',
            reason:
              'PROXY protocol header from an untrusted address: set the options proxyProtocol and ' +
              'trustedProxies, or stop the proxy from sending it',
          },
        ],
        1,
      ]);
      expect(await live.app.get(LiveMetrics).text()).toContain('handshakes_total{result="proxy-protocol"} 2');
    },
  );

  it('[L-10.1] a socket that has not sent its PROXY header does not delay the close', async () => {
    let accepted = 0;
    const count = (): void => void (accepted += 1);
    subscribe('net.server.socket', count);
    onTestFinished(() => void unsubscribe('net.server.socket', count));
    for (const port of [0, 'app'] as const) {
      const live = await start({ port, trustedProxies: 1, proxyProtocol: true, drainTimeoutMs: 100 });
      accepted = 0;
      const waiting = ask(Number(new URL(live.url).port), Buffer.from('PROXY '), '');
      const other = ask(Number(new URL(live.url).port), Buffer.alloc(0), '');
      // The kernel resets sockets that a busy machine has not accepted yet.
      await expect.poll(() => accepted, { timeout: 10_000 }).toBe(2);
      await new Promise((resolve) => setTimeout(resolve, 50));
      const sinceMs = performance.now();
      await live.app.close();
      expect([await waiting, await other]).toEqual(['', '']);
      expect(performance.now() - sinceMs).toBeLessThan(5_000);
    }
  });
});

/** A self-signed certificate and its key. */
function certificate(): { readonly key: string; readonly cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'tls-'));
  const { key, cert } = makeCertificate(folder);
  const pair = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  rmSync(folder, { recursive: true });
  return pair;
}

describeWith(openssl).each(platforms)('The PROXY protocol in front of TLS, on %s', (_name, platform) => {
  let https: ReturnType<typeof certificate>;

  beforeAll(() => {
    https = certificate();
  });

  async function startTls(which: Platform): Promise<{ readonly port: number; readonly live: Live }> {
    const guarded = { port: 'app', dangerouslyPublic: true, trustedProxies: 1, proxyProtocol: true } as const;
    const module = await Test.createTestingModule({
      imports: [LiveModule.forRoot(guarded)],
      controllers: [AddressController],
    }).compile();
    const app =
      which === 'express'
        ? module.createNestApplication(new ExpressAdapter(), { logger: false, httpsOptions: https })
        : module.createNestApplication(new FastifyAdapter({ https }), { logger: false });
    onTestFinished(() => app.close());
    await app.listen(0, '127.0.0.1');
    const server = app.getHttpServer() as { address(): AddressInfo };
    return { port: server.address().port, live: app.get(Live) };
  }

  it('[L-9.14] a PROXY header gives the client address of a TLS connection', async () => {
    const { port, live } = await startTls(platform);
    const request = 'GET /ip HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
    for (const header of headers('203.0.113.7')) {
      expect(await askTls(port, header, hello)).toContain(' 101 ');
      expect(await askTls(port, header, request)).toMatch(/ 200 [^]*203\.0\.113\.7$/);
    }
    expect([...live.registry].map(({ remoteAddr }) => remoteAddr)).toEqual(['203.0.113.7', '203.0.113.7']);
    expect(await askTls(port, Buffer.alloc(0), hello)).not.toContain(' 101 ');
  });
});
