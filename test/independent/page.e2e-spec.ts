import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';
import { launchedChromium } from '../support/chromium.js';
import { chromium, describeWith } from '../support/programs.js';
import { type RunningServer, startServer } from '../support/spawned-server.js';

const artifacts = resolve(import.meta.dirname, '../../artifacts');

/** What the test reads of an element. The types of React declare elements without members. */
interface Element {
  readonly tagName: string;
  querySelector(selector: string): unknown;
}

interface Visit {
  readonly page: Page;
  /** Faults that a user would not see: console errors, and requests to other hosts. */
  readonly trouble: string[];
}

describeWith(chromium)('The page in Chromium', () => {
  const browser = launchedChromium();

  beforeAll(async () => {
    mkdirSync(artifacts, { recursive: true });
  }, 60_000);

  async function visit({ http }: RunningServer, size: { width: number; height: number }): Promise<Visit> {
    const page = await browser().newPage({ viewport: size });
    const trouble: string[] = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) trouble.push(message.text());
    });
    page.on('request', (request) => {
      const { hostname, protocol } = new URL(request.url());
      if (hostname !== '127.0.0.1' && protocol !== 'data:') trouble.push(`request to ${request.url()}`);
    });
    await page.goto(http);
    await page.getByTestId('connection-state').filter({ hasText: 'open' }).waitFor();
    return { page, trouble };
  }

  async function drawn(page: Page, id: string): Promise<number> {
    return page.getByTestId(id).evaluate((it) => {
      const element = it as unknown as Element;
      const canvas = (element.tagName === 'CANVAS'
        ? element
        : element.querySelector('canvas')) as unknown as {
        width: number;
        height: number;
        getContext(kind: '2d'): { getImageData(...box: number[]): { data: Uint8ClampedArray } };
      };
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return new Set(new Uint32Array(data.buffer)).size;
    });
  }

  it('[L-4.3] the page subscribes, publishes, shows frames, vitals and map, and contacts no other host', async () => {
    const server = await startServer();
    const { page, trouble } = await visit(server, { width: 1280, height: 1500 });
    await page.getByTestId('topic-input').fill('chat/room-1');
    await page.getByTestId('subscribe-button').click();
    const log = page.getByTestId('frame-log');
    await log.getByText('chat/room-1').first().waitFor();
    await page.getByTestId('publish-topic').fill('chat/room-1');
    await page.getByTestId('publish-data').fill('{"text":"<b>from the page</b>"}');
    await page.getByTestId('publish-button').click();
    await log.getByText('published').first().waitFor();
    await log.getByText('event').first().waitFor();
    await page.getByTestId('connections-now').filter({ hasText: '1' }).waitFor();
    await page.getByTestId('deliveries-now').filter({ hasText: /[1-9]/ }).waitFor();
    expect(await drawn(page, 'map')).toBeGreaterThan(10);
    expect(await drawn(page, 'vitals-chart')).toBeGreaterThan(5);
    await page.screenshot({ path: `${artifacts}/page-desktop.png` });
    expect(trouble).toEqual([]);
    await page.close();
  }, 90_000);

  it('the page receives what is published over HTTP', async () => {
    const key = 'the-key-of-the-publisher';
    const server = await startServer({ LIVE_PUBLISH_KEY: key });
    const { page } = await visit(server, { width: 1280, height: 1500 });
    await page.getByTestId('topic-input').fill('chat/room-1');
    await page.getByTestId('subscribe-button').click();
    await page.getByTestId('frame-log').getByText('subscribed').first().waitFor();
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ topic: 'chat/room-1', data: 'from outside' });
    const { status } = await fetch(`${server.http}/publish`, { method: 'POST', headers, body });
    expect(status).toBe(202);
    await page.getByTestId('frame-log').getByText('event').first().waitFor();
    await page.close();
  }, 90_000);

  it('[L-5.3] the page resumes its topics after a reconnect, and shows a refusal', async () => {
    const key = 'the-key-of-the-publisher';
    const server = await startServer({ LIVE_PUBLISH_KEY: key });
    const { page, trouble } = await visit(server, { width: 1280, height: 1500 });
    const publish = (data: string): Promise<Response> =>
      fetch(`${server.http}/publish`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ topic: 'chat/room-1', data }),
      });
    const row = page.getByTestId('subscriptions').locator('li').filter({ hasText: 'chat/room-1' });
    await page.getByTestId('topic-input').fill('chat/room-1');
    await page.getByTestId('subscribe-button').click();
    await row.filter({ hasText: 'live' }).waitFor();
    await publish('before');
    await row.filter({ hasText: '1 event' }).waitFor();
    await page.getByTestId('connect-button').click();
    await page.getByTestId('connection-state').filter({ hasText: 'closed' }).waitFor();
    await publish('in between');
    await page.getByTestId('connect-button').click();
    await row.filter({ hasText: /2 events.*1 × recovered.*no gap/ }).waitFor();
    await page.getByTestId('topic-input').fill('secret/room');
    await page.getByTestId('subscribe-button').click();
    await page.getByTestId('answer').filter({ hasText: 'forbidden' }).waitFor();
    expect(trouble).toEqual([]);
    await page.close();
  }, 90_000);

  it('the page fits a phone in dark mode without scrolling sideways', async () => {
    const server = await startServer();
    const { page, trouble } = await visit(server, { width: 360, height: 740 });
    await page.emulateMedia({ colorScheme: 'dark' });
    const [wide, background] = await page.evaluate<[number, string]>(
      '[document.documentElement.scrollWidth, getComputedStyle(document.body).backgroundColor]',
    );
    expect(wide).toBeLessThanOrEqual(360);
    const [red = 255] = (/\d+/.exec(background) ?? ['255']).map(Number);
    expect(red).toBeLessThan(80);
    await page.screenshot({ path: `${artifacts}/page-phone-dark.png`, fullPage: true });
    expect(trouble).toEqual([]);
    await page.close();
  }, 90_000);

  it('[L-10.1] the page shows that it is disconnected when the server stops', async () => {
    const server = await startServer();
    const { page } = await visit(server, { width: 1280, height: 900 });
    server.server.kill('SIGTERM');
    await page.getByTestId('connection-state').filter({ hasText: 'waiting' }).waitFor();
    expect(await server.server.exit).toBe(0);
    await page.close();
  }, 90_000);
});
