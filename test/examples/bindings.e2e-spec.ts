import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type Browser, chromium as launcher, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { sleep } from '../brokers/support/waiting.js';
import { chromiumFlags } from '../support/chromium.js';
import { chromium, describeWith } from '../support/programs.js';
import { thorough } from '../support/thorough.js';
import { startExample } from './start-example.js';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');
const apps = ['react', 'vue', 'svelte', 'angular', 'rxjs'] as const;

let folder = '';

/** Installs the examples with the packed tarball, in workspaces that share their packages. */
async function install(): Promise<void> {
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  await run('npm', ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder], {
    cwd: root,
  });
  const tarball = readdirSync(folder).find((file) => file.endsWith('.tgz')) ?? '';
  for (const app of apps) {
    cpSync(join(root, 'examples', app), join(folder, app), { recursive: true });
    const file = join(folder, app, 'package.json');
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as { dependencies: Record<string, string> };
    manifest.dependencies['nestjs-live'] = `file:${join(folder, tarball)}`;
    writeFileSync(file, JSON.stringify(manifest));
  }
  cpSync(join(import.meta.dirname, 'load'), join(folder, 'react'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, workspaces: apps }));
  await run('npm', ['install', ...quiet], { cwd: folder, maxBuffer: 2 ** 24 });
}

/** Runs the build of the example, as its reader does, and returns the folder with the page. */
async function build(app: string, mode = 'production', ...args: readonly string[]): Promise<string> {
  const script = ['run', 'build', ...(args.length > 0 ? ['--', ...args] : [])];
  const env = { ...process.env, NODE_ENV: mode };
  await run('npm', script, { cwd: join(folder, app), env, maxBuffer: 2 ** 24 });
  return join(folder, app, 'dist');
}

// Installing and building take minutes, and need the registry.
describeWith(chromium)('The examples of the bindings', () => {
  let browser: Browser;

  beforeAll(async () => {
    if (!thorough) return;
    folder = mkdtempSync(join(tmpdir(), 'nestjs-live-bindings-'));
    browser = await launcher.launch({ executablePath: '/usr/bin/chromium', args: chromiumFlags });
    await install();
  }, 300_000);

  afterAll(async () => {
    if (!thorough) return;
    await browser.close();
    // Some 30,000 files.
    await run('rm', ['-rf', folder]);
  }, 120_000);

  /** Opens a page that the example server serves, and records the wire. */
  async function open(pages: string, file: string, perSecond: number) {
    const url = await startExample('cars', { PAGES: pages, PER_SECOND: String(perSecond) });
    const page = await browser.newPage();
    const [sent, errors]: [unknown[], string[]] = [[], []];
    const received = { events: 0 };
    page.on('websocket', (socket) => {
      socket.on('framesent', ({ payload }) => sent.push(JSON.parse(String(payload))));
      socket.on('framereceived', ({ payload }) => {
        if (String(payload).startsWith('{"type":"event"')) received.events += 1;
      });
    });
    page.on('pageerror', ({ message }) => errors.push(message));
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    onTestFinished(async () => {
      expect(errors).toEqual([]);
      await page.close();
    });
    await page.goto(`${url}/${file}`);
    return { page, sent, received };
  }

  const lines = (page: Page) => (): Promise<string[]> => page.locator('li').allTextContents();

  async function showsMovingCars(page: Page): Promise<void> {
    await expect.poll(lines(page), { timeout: 20_000 }).toHaveLength(20);
    const before = await lines(page)();
    await expect.poll(lines(page), { timeout: 20_000 }).not.toEqual(before);
    expect(await page.textContent('#state')).toBe('open');
  }

  const subscribe = { type: 'subscribe', id: 1, topic: 'cars', pages: true };

  it.runIf(thorough).each(apps)(
    '[L-3.2] examples/%s is built by its own tool, and shows moving cars with one subscribe',
    async (app) => {
      const { page, sent } = await open(await build(app), 'index.html', 100);
      await showsMovingCars(page);
      expect(sent).toEqual([subscribe]);
    },
    120_000,
  );

  it.runIf(thorough)(
    '[L-3.2] React in strict mode, which mounts twice in development, subscribes once',
    async () => {
      const pages = await build('react', 'development', '--mode', 'development');
      const { page, sent } = await open(pages, 'index.html', 100);
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
      const pages = await build('react', 'production', '--config', 'vite.load.js');
      const { page, sent, received } = await open(pages, 'load.html', 1_000);
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
});
