import { type Browser, chromium as launcher } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sleep } from '../brokers/support/waiting.js';
import { chromiumFlags } from '../support/chromium.js';
import { chromium, describeWith } from '../support/programs.js';
import { thorough } from '../support/thorough.js';
import { BindingApps, hydratesCars, lines, openPage, showsMovingCars, subscribe } from './binding-apps.js';

const examples = ['react', 'vue', 'svelte', 'angular', 'rxjs'] as const;

// Installing and building take minutes, and need the registry.
describeWith(chromium)('The examples of the bindings', () => {
  let browser: Browser;
  let apps: BindingApps;

  beforeAll(async () => {
    if (!thorough) return;
    browser = await launcher.launch({ executablePath: '/usr/bin/chromium', args: chromiumFlags });
    apps = await BindingApps.install(examples);
  }, 300_000);

  afterAll(async () => {
    if (!thorough) return;
    await browser.close();
    await apps.remove();
  }, 120_000);

  it.runIf(thorough).each(examples)(
    '[L-3.2] examples/%s is built by its own tool, and shows moving cars with one subscribe',
    async (app) => {
      const { page, sent } = await openPage(browser, await apps.build(app), 'index.html', 100);
      await showsMovingCars(page);
      expect(await page.textContent('#state')).toBe('open');
      expect(sent).toEqual([subscribe]);
    },
    120_000,
  );

  it.runIf(thorough)(
    '[L-3.2] React in strict mode, which mounts twice in development, subscribes once',
    async () => {
      const pages = await apps.build('react', 'development', '--mode', 'development');
      const { page, sent } = await openPage(browser, pages, 'index.html', 100);
      await showsMovingCars(page);
      await sleep(1_500); // longer than a subscription outlives its last component
      expect(sent).toEqual([subscribe]);
      const report = await page.evaluate('JSON.stringify(live.debug())');
      expect(JSON.parse(String(report))).toMatchObject({ topics: { cars: { subscriptions: 1 } } });
    },
    120_000,
  );

  it.runIf(thorough)(
    '[L-4.1] 50 components of React render at most once a frame at 1,000 events a second, without tearing',
    async () => {
      const pages = await apps.build('react', 'production', '--config', 'vite.load.js');
      const { page, sent, received } = await openPage(browser, pages, 'load.html', 1_000);
      await expect.poll(lines(page), { timeout: 20_000 }).toHaveLength(50);
      await sleep(1_000);
      const before = received.events;
      await sleep(2_000);
      const perSecond = (received.events - before) / 2;
      const figures = (await page.evaluate('figures')) as Record<string, number>;
      console.info(
        `React, 50 components: ${String(perSecond)} events/s,`,
        figures,
        `${String(sent.length)} subscribe`,
      );
      expect(figures).toMatchObject({ mostInAFrame: 1, torn: 0 });
      expect(figures['frames']).toBeGreaterThan(20);
      expect(sent).toEqual([subscribe]);
      expect(perSecond).toBeGreaterThan(500);
    },
    120_000,
  );

  it.runIf(thorough)(
    '[L-3.2] what a server has rendered with React is hydrated without a warning, and goes on live',
    () => hydratesCars(apps, browser),
    120_000,
  );
});
