import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { SubscribeMessage } from '@nestjs/websockets';
import { SignJWT } from 'jose';
import { pino } from 'pino';
import { expect, it, describe } from 'vitest';
import { JwtConnectionGuard, LiveGateway, liveRedact } from '../src/index.js';
import { LiveMetrics, LiveMetricsModule } from '../src/nest/metrics/index.js';
import { LogRecorder } from './module/support/log-recorder.js';
import { ask, EventPeer, type HttpAsk } from './support/event-peer.js';
import { platforms, startLiveApp } from './support/live-app.js';

const secret = 'a secret of at least thirty-two bytes';
const canary = 'canary-3f90b2';

class FailingGateway extends LiveGateway {
  @SubscribeMessage('fail')
  fail(): never {
    throw new Error('on purpose');
  }
}

/** Fails like a guard that calls a backend with axios: the error carries the request. */
@Injectable()
class LeakyGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    if (headers['x-leak'] === undefined) return true;
    throw Object.assign(new Error('The backend is away'), { config: { headers } });
  }
}

const signed = (expiresAtMs: number): Promise<string> =>
  new SignJWT({ exp: Math.floor(expiresAtMs / 1_000), jti: canary })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('ann')
    .sign(new TextEncoder().encode(secret));

/** What an application that logs with pino writes of these entries. */
function written({ entries }: LogRecorder): string {
  let text = '';
  const logger = pino({ level: 'trace', redact: liveRedact }, { write: (line) => void (text += line) });
  for (const { message } of entries) logger.info(message);
  return text;
}

describe.each(platforms)('12. Secrets of the event door, on %s', (_name, platform) => {
  it.each([0, 'app'] as const)(
    '[L-1.3] [L-12.2] logs, errors and metrics contain no token and no secret of a session (port %s)',
    async (port) => {
      const log = new LogRecorder();
      const { app, url } = await startLiveApp({
        platform,
        gateway: FailingGateway,
        guards: [JwtConnectionGuard, LeakyGuard],
        imports: [LiveMetricsModule],
        options: { sse: true, port, jwt: { secret }, maxMessageBytes: 2_000 },
        before: log.use,
      });
      const token = await signed(Date.now() + 600_000);
      const expired = await signed(1_000_000);
      const answers: string[] = [];
      const heard = async (asked: HttpAsk): Promise<number> => {
        const answer = await ask(url, asked);
        answers.push(JSON.stringify(answer));
        return answer.status;
      };
      const peer = await EventPeer.open(url, token, `?token=${canary}`);
      const [, sessionSecret = ''] = peer.session.split('.');
      const post = (body: string | Buffer, headers: Record<string, string> = {}): Promise<number> =>
        heard({
          method: 'POST',
          path: '/messages',
          body,
          headers: {
            authorization: `Bearer ${token}`,
            'content-type': 'application/x-ndjson',
            'live-session': peer.session,
            'live-sequence': '1',
            ...headers,
          },
        });
      const open = { authorization: `Bearer ${token}` };
      const statuses = [
        await heard({ path: '/events', headers: { authorization: `Bearer ${expired}` } }),
        await heard({
          path: '/events',
          headers: { cookie: `live_token=${canary}`, accept: 'text/event-stream' },
        }),
        await heard({ path: `/events?topics=${canary.repeat(30)}`, headers: open }),
        await heard({ path: '/events', headers: { ...open, 'x-leak': canary } }),
        await heard({ method: 'PUT', path: '/messages', headers: { ...open, 'live-session': peer.session } }),
        await post('{}', { authorization: `Bearer ${expired}` }),
        await post('{}', { 'x-leak': canary }),
        await post('{}', { 'content-type': canary }),
        await post('{}', { 'live-session': `${canary}${peer.session}${canary}` }),
        await post('{}', { 'live-session': `other.${sessionSecret}` }),
        await post('{}', { 'live-sequence': canary }),
        await post('{}', { 'live-sequence': '9' }),
        await post(canary.repeat(300)),
        await post(Buffer.from([0xff, ...Buffer.from(canary)])),
      ];
      expect(statuses).toEqual([401, 401, 400, 503, 405, 401, 503, 415, 400, 404, 400, 409, 413, 400]);
      const messages = [
        `{"type":"${canary}`,
        `{"type":"auth","token":"${canary}"}`,
        `{"type":"auth","token":"${token}","id":"last"}`,
        `{"type":"subscribe","topic":"${canary.repeat(20)}"}`,
        `{"type":"fail","data":"${canary}","token":"${token}"}`,
      ];
      expect(await post(messages.join('\n'))).toBe(204);
      await peer.until(() => peer.messages.filter(({ type }) => type !== 'event').length === 6);
      peer.close();
      const metrics = await app.get(LiveMetrics, { strict: false }).text();
      await app.close();
      const logged = written(log);
      // These must exist, so that the test does not pass because nothing was logged.
      for (const each of ['connection opened', 'connection closed', 'on purpose', 'The backend is away'])
        expect(logged).toContain(each);
      const errors = JSON.stringify([peer.messages, answers]);
      const pieces = [canary, sessionSecret, ...token.split('.').slice(1), ...expired.split('.').slice(1)];
      for (const [where, text] of Object.entries({ logged, metrics, errors }))
        expect([where, pieces.filter((piece) => text.includes(piece))]).toEqual([where, []]);
    },
  );
});
