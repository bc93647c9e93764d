import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchedChromium } from '../support/chromium.js';
import { chromium, describeWith, runtimes } from '../support/programs.js';
import { thorough } from '../support/thorough.js';
import { BindingApps, hydratesCars, openPage, run, showsMovingCars, subscribe } from './binding-apps.js';

const root = resolve(import.meta.dirname, '../..');

/** Runs the unit spec of a binding with the packages of these applications. */
async function runSpec(file: string, { folder }: BindingApps): Promise<string> {
  const env = { ...process.env, PEERS: join(folder, 'node_modules'), NO_COLOR: '1' };
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const { stdout } = await run(process.execPath, [vitest, 'run', file], { cwd: root, env });
  return stdout;
}

/** The applications of a `describe`. */
function installed(...all: Parameters<typeof BindingApps.install>): () => BindingApps {
  let apps: BindingApps | undefined;
  beforeAll(async () => {
    if (thorough) apps = await BindingApps.install(...all);
  }, 300_000);
  afterAll(() => apps?.remove(), 120_000);
  return () => {
    if (apps === undefined) throw new Error('Nothing is installed');
    return apps;
  };
}

/** Angular 22 runs on Node 22.22, 24.15, 26, or newer. */
const node24 = runtimes.find(({ name }) => name === 'Node 24') ?? chromium;

// The newest React and Angular 21 are those of the package.
describeWith(chromium)('The bindings with other versions of their frameworks', () => {
  const browser = launchedChromium();

  describe('React 18', () => {
    const apps = installed(['react'], { react: '^18.3.1', 'react-dom': '^18.3.1' });

    it.runIf(thorough)(
      'its own tests pass',
      async () => {
        expect(await runSpec('src/bindings/react.spec.ts', apps())).toMatch(/Tests +\d+ passed/);
      },
      60_000,
    );

    it.runIf(thorough)(
      '[L-3.2] the example shows moving cars with one subscribe, also in strict mode',
      async () => {
        const pages = await apps().build('react', 'development', '--mode', 'development');
        const { page, sent } = await openPage(browser(), pages, 'index.html', 100);
        await showsMovingCars(page);
        expect(sent).toEqual([subscribe]);
      },
      120_000,
    );

    it.runIf(thorough)(
      '[L-3.2] what a server has rendered is hydrated without a warning, and goes on live',
      () => hydratesCars(apps(), browser()),
      120_000,
    );
  });

  describeWith(node24)('Angular 22', () => {
    const names = ['common', 'core', 'platform-browser', 'build', 'cli', 'compiler', 'compiler-cli'];
    const angular = Object.fromEntries(names.map((name) => [`@angular/${name}`, '^22.0.0']));
    const path = `${dirname(resolve(node24.check[0]))}:${process.env['PATH'] ?? ''}`;
    const apps = installed(['angular'], { ...angular, typescript: '~6.0.2' }, { ...process.env, PATH: path });

    it.runIf(thorough)(
      'its own tests pass',
      async () => {
        expect(await runSpec('src/bindings/angular.spec.ts', apps())).toMatch(/Tests +\d+ passed/);
      },
      60_000,
    );

    it.runIf(thorough)(
      '[L-3.2] the example is built by its own tool, and shows moving cars with one subscribe',
      async () => {
        const { page, sent } = await openPage(browser(), await apps().build('angular'), 'index.html', 100);
        await showsMovingCars(page);
        expect(sent).toEqual([subscribe]);
      },
      120_000,
    );
  });
});
