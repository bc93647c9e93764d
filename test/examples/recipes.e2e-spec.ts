import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type HandshakeRefused, LiveTestClient } from '../../src/testing/index.js';
import { launchedChromium } from '../support/chromium.js';
import { chromium, describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis-server.js';
import { runner, startExample as start } from './start-example.js';

/** What the test reads of an element. The types of React declare elements without members. */
interface Element {
  getAttribute(name: string): string | null;
}

describeWith(chromium)('The examples with a page', () => {
  const browser = launchedChromium();

  async function open(url: string): Promise<Page> {
    const page = await browser().newPage();
    const errors: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(`${message.text()} ${message.location().url}`);
    });
    onTestFinished(() => expect(errors).toEqual([]));
    await page.goto(url);
    return page;
  }

  it('examples/fleet-map shows three vehicles that move', async () => {
    const page = await open(`${await start('fleet-map')}/fleet.html`);
    const positions = (): Promise<string[]> =>
      page
        .locator('circle')
        .evaluateAll((dots) =>
          (dots as unknown as readonly Element[]).map((dot) => String(dot.getAttribute('cx'))),
        );
    await expect.poll(positions, { timeout: 20_000 }).toHaveLength(3);
    const before = await positions();
    await expect.poll(positions, { timeout: 20_000 }).not.toEqual(before);
    expect(await page.textContent('#state')).toBe('open');
    await page.close();
  }, 60_000);

  it('examples/chat shows messages with the name that the server verified, and who is in the room', async () => {
    const url = await start('chat');
    const ann = await open(`${url}/chat.html#ann`);
    const bob = await open(`${url}/chat.html#bob`);
    for (const page of [ann, bob])
      await expect.poll(() => page.textContent('#people'), { timeout: 20_000 }).toBe('ann, bob');
    await ann.fill('#text', 'Hello <b>Bob</b>');
    await ann.press('#text', 'Enter');
    for (const page of [ann, bob])
      await expect.poll(() => page.locator('li').allTextContents()).toEqual(['ann: Hello <b>Bob</b>']);
    const forged = await fetch(`${url}/chat/lobby`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer forged' },
      body: '{"text":"I am Ann"}',
    });
    expect(forged.status).toBe(401);
    await bob.close();
    await expect.poll(() => ann.textContent('#people'), { timeout: 20_000 }).toBe('ann');
    await ann.close();
  }, 60_000);

  it('examples/dashboard-react is built by Vite and shows the values that the server publishes', async () => {
    const url = await start('dashboard-react');
    const { build } = await import('vite');
    await build({ root: resolve(runner, '../dashboard-react'), logLevel: 'error' });
    const page = await open(`${url}/index.html`);
    const memory = (): Promise<string | null> => page.textContent('#memory', { timeout: 20_000 });
    await expect.poll(memory, { timeout: 20_000 }).toMatch(/^\d+ MB$/);
    expect(await page.textContent('#state')).toBe('open');
    await page.close();
  }, 60_000);
});

describe('The examples without a page', () => {
  it('examples/fastify lets in the users that its guard knows, with a snapshot and the events after it', async () => {
    const url = `${(await start('fastify')).replace('http', 'ws')}/live`;
    const refused = await LiveTestClient.connect(url).catch((error: unknown) => error);
    expect((refused as HandshakeRefused).statusCode).toBe(403);
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    expect(await client.request({ type: 'subscribe', id: 1, topic: 'clock' })).toMatchObject({
      type: 'subscribed',
      snapshot: { now: expect.any(String) },
    });
    expect(await client.nextOf('event')).toMatchObject({ topic: 'clock', data: { now: expect.any(String) } });
    await client.close();
  }, 60_000);

  describeWith(redisServer)('with Redis', () => {
    it('examples/job-progress shows a user the progress of a job that runs in another process', async () => {
      const redis = await RedisServer.start();
      const environment = { REDIS_URL: redis.url, API_KEY: 'a-key-of-this-test' };
      const url = `${(await start('job-progress', environment)).replace('http', 'ws')}/live`;
      const client = await LiveTestClient.connect(url, { token: 'a-key-of-this-test' });
      expect(await client.request({ type: 'subscribe', id: 1, topic: 'jobs/bob/1' })).toMatchObject({
        code: 'forbidden',
      });
      await client.request({ type: 'subscribe', id: 2, topic: 'jobs/ann/1' });
      const env = { PATH: process.env['PATH'], ...environment };
      await promisify(execFile)(process.execPath, [runner, 'job-progress/worker', 'jobs/ann/1'], { env });
      const seen: unknown[] = [];
      while (seen.length < 6) seen.push((await client.nextOf('event'))['data']);
      expect(seen).toEqual([0, 20, 40, 60, 80, 100].map((percent) => ({ percent, done: percent === 100 })));
      await client.close();
    }, 60_000);
  });
});
