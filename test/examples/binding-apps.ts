import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { startExample } from './start-example.js';

export const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');

type Versions = Readonly<Record<string, string>>;

/** The one request of a page that shows the cars. */
export const subscribe = { type: 'subscribe', id: 1, topic: 'cars', pages: true, entries: true };

/**
 * Examples of the bindings with the packed tarball, in workspaces that share their packages. They
 * are in a temporary folder.
 */
export class BindingApps {
  readonly folder = mkdtempSync(join(tmpdir(), 'nestjs-live-bindings-'));

  private constructor(private readonly env: NodeJS.ProcessEnv) {}

  /** @param versions - of packages, other than those that the examples name */
  static async install(
    apps: readonly string[],
    versions: Versions = {},
    env: NodeJS.ProcessEnv = process.env,
  ): Promise<BindingApps> {
    const made = new BindingApps(env);
    await made.#install(apps, versions);
    return made;
  }

  async #install(apps: readonly string[], versions: Versions): Promise<void> {
    const { folder } = this;
    const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
    await run('npm', ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder], {
      cwd: root,
    });
    const tarball = readdirSync(folder).find((file) => file.endsWith('.tgz')) ?? '';
    const ours: Versions = { ...versions, 'nestjs-live': `file:${join(folder, tarball)}` };
    for (const app of apps) {
      cpSync(join(root, 'examples', app), join(folder, app), { recursive: true });
      const file = join(folder, app, 'package.json');
      const manifest = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Record<string, string>>;
      for (const packages of [manifest['dependencies'] ?? {}, manifest['devDependencies'] ?? {}])
        for (const name of Object.keys(packages)) packages[name] = ours[name] ?? packages[name] ?? '';
      writeFileSync(file, JSON.stringify(manifest));
    }
    if (apps.includes('react'))
      cpSync(join(import.meta.dirname, 'load'), join(folder, 'react'), { recursive: true });
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, workspaces: apps }));
    await run('npm', ['install', ...quiet], { cwd: folder, env: this.env, maxBuffer: 2 ** 24 });
  }

  /** Runs the build of the example, as its reader does, and returns the folder with the page. */
  async build(app: string, mode = 'production', ...args: readonly string[]): Promise<string> {
    const script = ['run', 'build', ...(args.length > 0 ? ['--', ...args] : [])];
    const env = { ...this.env, NODE_ENV: mode };
    await run('npm', script, { cwd: join(this.folder, app), env, maxBuffer: 2 ** 24 });
    return join(this.folder, app, 'dist');
  }

  /** Some 30,000 files. */
  async remove(): Promise<void> {
    await run('rm', ['-rf', this.folder]);
  }
}

/**
 * Opens a page that the example server serves, and records the wire. The test fails if the page
 * writes an error to its console.
 */
export async function openPage(browser: Browser, pages: string, file: string, perSecond: number) {
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

/** The rows of a page. */
export const lines =
  (page: Page, inside = '') =>
  (): Promise<string[]> =>
    page.locator(`${inside} li`).allTextContents();

/** Asserts that the page shows all cars, and that they move. */
export async function showsMovingCars(page: Page, inside = ''): Promise<void> {
  await expect.poll(lines(page, inside), { timeout: 20_000 }).toHaveLength(20);
  const before = await lines(page, inside)();
  await expect.poll(lines(page, inside), { timeout: 20_000 }).not.toEqual(before);
}

/** What the page of `load/rendered-page.jsx` notes. */
interface Figures {
  readonly served: Readonly<Record<string, string>>;
  readonly first: Readonly<Record<string, string>>;
  readonly errors: readonly string[];
}

/** Asserts that React renders the cars on a server, and goes on with them in the page. */
export async function hydratesCars(apps: BindingApps, browser: Browser): Promise<void> {
  const args = ['--mode', 'development', '--config', 'vite.rendered.js'];
  const pages = await apps.build('react', 'development', ...args);
  await apps.build('react', 'development', ...args, '--ssr', 'rendered-server.jsx');
  const { stdout } = await run(process.execPath, [join(pages, '../server/rendered-server.js')], {
    env: { ...process.env, NODE_ENV: 'development' },
    timeout: 10_000,
  });
  const { whole, streamed, sockets } = JSON.parse(stdout) as Record<string, string>;
  expect(sockets).toEqual([]);
  const file = join(pages, 'rendered.html');
  const [head = '', between = '', end = ''] = readFileSync(file, 'utf8').split('<!--rendered-->');
  writeFileSync(file, `${head}${String(streamed)}${between}${String(whole)}${end}`);
  const { page, sent } = await openPage(browser, pages, 'rendered.html', 100);
  await expect.poll(() => page.textContent('#root .count'), { timeout: 20_000 }).toBe('20');
  await showsMovingCars(page, '#root');
  // This root finds a collection that is whole already.
  await page.evaluate(`hydrate('late')`);
  await showsMovingCars(page, '#late');
  const { served, first, errors } = (await page.evaluate('figures')) as Figures;
  expect(errors).toEqual([]);
  expect(first).toEqual(served);
  for (const id of ['root', 'late']) expect(served[id]).toMatch(/^connecting.*car-0: 0, -1.*car-19: 19, -20/);
  // React has kept what the server rendered.
  expect(await page.evaluate('rows()')).toBe(40);
  expect((await lines(page)()).filter((line) => line.includes(', -'))).toEqual([]);
  expect(sent).toEqual([subscribe]);
}
