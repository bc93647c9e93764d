import { setTimeout as sleep } from 'node:timers/promises';
import type { BrowserContext, Page } from 'playwright-core';
import { expect, it, onTestFinished } from 'vitest';
import { launchedChromium } from '../support/chromium.js';
import { chromium, describeWith } from '../support/programs.js';
import { serveClient } from '../support/served-client.js';
import { startClientApp } from './client-app.js';

const tabCount = 10;

interface Taken {
  readonly offset: number;
  readonly lateMs: number;
}

const html = `<!doctype html><script type="module">
import { connect } from '/client/index.js';
import { shared } from '/tabs/index.js';
globalThis.live = { connect, shared };
</script>`;

const workerScript = `import { serveTabs } from '/tabs/index.js'; serveTabs();`;

/** What a tab of the test keeps in its page. */
interface TabWindow {
  readonly sockets: number[];
  readonly taken: Taken[];
  readonly lost: unknown[];
}

/** Runs in the page: a client on the shared connection that notes what it receives. */
async function program({ url, as, worker }: { url: string; as: string; worker: boolean }): Promise<void> {
  const page = globalThis as unknown as TabWindow & Record<string, unknown>;
  const Own = globalThis.WebSocket;
  Object.assign(page, { sockets: [], taken: [], lost: [] });
  globalThis.WebSocket = class extends Own {
    constructor(target: string, protocols: string[]) {
      super(target, protocols);
      page.sockets.push(1);
    }
  } as typeof Own;
  const { connect, shared } = page['live'] as Record<string, (...args: unknown[]) => unknown>;
  const SharedWorker = page['SharedWorker'] as new (file: string, options: object) => unknown;
  const startWorker = (): unknown => new SharedWorker('/tabs/test-worker.js', { type: 'module' });
  const client = connect?.(url, {
    credential: as,
    webSocket: shared?.({ as, ...(worker && { worker: startWorker }) }),
  }) as { subscribe(topic: string, listener: (message: Record<string, unknown>) => void): unknown };
  await new Promise<void>((begun) => {
    client.subscribe('history/a', (message) => {
      const { type, position, data } = message as {
        type: string;
        position: { offset: number };
        data: { at: number };
      };
      if (type === 'event') page.taken.push({ offset: position.offset, lateMs: Date.now() - data.at });
      else if (type === 'start') begun();
      else page.lost.push(message);
    });
  });
}

describeWith(chromium)('Tabs that share a connection, in Chromium', () => {
  const browser = launchedChromium();

  /** Tabs of one browser that read one topic of a server. */
  async function world(count: number, { worker = false } = {}) {
    const app = await startClientApp();
    const origin = await serveClient({ '/': html, '/tabs/test-worker.js': workerScript });
    const context = await browser().newContext();
    onTestFinished(() => context.close());
    const open = async (as = 'ann'): Promise<Page> => {
      const page = await context.newPage();
      await page.goto(origin);
      await page.evaluate(program, { url: app.url, as, worker });
      return page;
    };
    const pages: Page[] = [];
    for (let i = 0; i < count; i++) pages.push(await open());
    return { ...app, context, open, pages };
  }

  type World = Awaited<ReturnType<typeof world>>;

  const socketsOf = (page: Page): Promise<number> =>
    page.evaluate(() => (globalThis as unknown as TabWindow).sockets.length);

  /** The tab that has the connection. */
  async function leaderOf({ pages }: World): Promise<Page> {
    for (const page of pages) if ((await socketsOf(page)) > 0) return page;
    throw new Error('No tab has a connection');
  }

  /** Publishes every 10 ms, and has something happen in between. Returns the number. */
  async function publishAround({ live }: World, mishap: () => Promise<unknown>): Promise<number> {
    let happened: Promise<unknown> | undefined;
    for (let i = 1; i <= 300; i++) {
      await live.publish('history/a', { at: Date.now() });
      await sleep(10);
      if (i === 50) happened = mishap().catch(() => {});
    }
    await Promise.race([happened, sleep(5_000)]);
    return 300;
  }

  /** Asserts that each tab has everything, once and in order. Returns the longest delay in ms. */
  async function expectWhole(pages: readonly Page[], count: number): Promise<number> {
    const offsets = Array.from({ length: count }, (_, i) => i + 1);
    let worstMs = 0;
    for (const page of pages) {
      const there = `globalThis.taken.length >= ${String(count)}`;
      await page.waitForFunction(there, undefined, { timeout: 10_000 }).catch(() => {});
      const { taken, lost } = await page.evaluate(() => {
        const window = globalThis as unknown as TabWindow;
        return { taken: window.taken, lost: window.lost };
      });
      expect([taken.map(({ offset }) => offset), lost]).toEqual([offsets, []]);
      worstMs = Math.max(worstMs, ...taken.map(({ lateMs }) => lateMs));
    }
    return worstMs;
  }

  it('ten tabs use one connection, and each gets everything', async () => {
    const tabs = await world(tabCount);
    const count = await publishAround(tabs, async () => {});
    await expectWhole(tabs.pages, count);
    expect(await tabs.controls.count('ann')).toEqual({ connections: 1, subscriptions: 1 });
  }, 60_000);

  it('tabs of another user have another connection', async () => {
    const tabs = await world(2);
    await tabs.open('bob');
    expect((await tabs.controls.count('ann')).connections).toBe(1);
    expect((await tabs.controls.count('bob')).connections).toBe(1);
  }, 60_000);

  const mishaps: Readonly<Record<string, (page: Page, context: BrowserContext) => Promise<unknown>>> = {
    closes: (page) => page.close(),
    // The crash is never answered.
    crashes: async (page, context) =>
      void (await context.newCDPSession(page)).send('Page.crash').catch(() => {}),
    'is frozen': async (page, context) =>
      (await context.newCDPSession(page)).send('Page.setWebLifecycleState', { state: 'frozen' }),
    'stands still': (page) =>
      page.evaluate(() => {
        const endMs = performance.now() + 4_000;
        while (performance.now() < endMs);
      }),
  };

  it.each(Object.keys(mishaps))(
    'a leader that %s is replaced: nothing is lost or doubled',
    async (what) => {
      const tabs = await world(4);
      const leader = await leaderOf(tabs);
      const others = tabs.pages.filter((page) => page !== leader);
      const count = await publishAround(tabs, async () => mishaps[what]?.(leader, tabs.context));
      const worstMs = await expectWhole(others, count);
      console.log(`A leader ${what}: the others waited ${String(worstMs)} ms at most`);
      expect(worstMs).toBeLessThan(3_000);
      expect((await tabs.controls.count('ann')).connections).toBe(1);
    },
    60_000,
  );

  it('a shared worker leads, and goes on when a tab closes', async () => {
    const tabs = await world(3, { worker: true });
    const [first, ...others] = tabs.pages;
    const count = await publishAround(tabs, async () => first?.close());
    await expectWhole(others, count);
    expect(await Promise.all(others.map(socketsOf))).toEqual([0, 0]);
    expect((await tabs.controls.count('ann')).connections).toBe(1);
  }, 60_000);
});
