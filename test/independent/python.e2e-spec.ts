import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SignJWT } from 'jose';
import { expect, it } from 'vitest';
import { curl, describeWith, pythonWebsockets, runsWith } from '../support/programs.js';
import { startServer } from '../support/spawned-server.js';

const secret = 'a-secret-of-more-than-thirty-two-bytes';
const publishKey = 'the-key-of-whoever-publishes';
const [python] = pythonWebsockets.check;

const tokenFor = (topic: string): Promise<string> =>
  new SignJWT({ live: { subscribe: [topic] } })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('python')
    .setExpirationTime('5m')
    .sign(new TextEncoder().encode(secret));

describeWith(pythonWebsockets)('A client in Python', () => {
  it.runIf(runsWith(curl))(
    '[L-4.1] a Python client receives what curl published',
    async () => {
      const { http, sockets } = await startServer({ LIVE_JWT_SECRET: secret, LIVE_PUBLISH_KEY: publishKey });
      const script = join(import.meta.dirname, 'subscribe.py');
      const client = spawn(python, [script, sockets, await tokenFor('fleet/*'), 'fleet/7', '2']);
      const errors: string[] = [];
      client.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
      let output = '';
      const ended = once(client, 'close');
      await new Promise<void>((subscribed, failed) => {
        client.on('close', () => failed(new Error(`${output}${errors.join('')}`)));
        client.stdout.on('data', (chunk: Buffer) => {
          output += chunk.toString();
          if (output.includes('subscribed')) subscribed();
        });
      });
      const request = [
        '-sS',
        '-H',
        `Authorization: Bearer ${publishKey}`,
        '-H',
        'Content-Type: application/json',
      ];
      const body = '[{"topic":"fleet/7","data":{"speed":7}},{"topic":"fleet/7","data":"é"}]';
      const { stdout } = await promisify(execFile)('curl', [...request, '-d', body, `${http}/publish`]);
      await ended;
      expect(JSON.parse(stdout)).toEqual(
        [1, 2].map((offset) => ({ epoch: expect.any(String) as string, offset })),
      );
      expect(output.split('\n')).toEqual([
        'subprotocol live.v1',
        'welcome',
        'subscribed 0 null',
        'event 1 {"speed": 7}',
        String.raw`event 2 "\u00e9"`,
        '',
      ]);
    },
    60_000,
  );
});
