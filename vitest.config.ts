import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import SlowFirst from './test/support/slow-first.js';
import { thorough } from './test/support/thorough.js';

/** `nestjs-live/…` is the source behind the door, so that the applications are tested without a build. */
const doors = JSON.parse(readFileSync(new URL('./tsconfig.json', import.meta.url), 'utf8')) as {
  compilerOptions: { paths: Record<string, [string]> };
};
const alias = Object.entries(doors.compilerOptions.paths).map(([door, [file]]) => ({
  find: new RegExp(`^${door}$`),
  replacement: fileURLToPath(new URL(file, import.meta.url)),
}));

/** Other versions of the frameworks: `bindings.versions.e2e-spec.ts` names a `node_modules`. */
const peers = process.env['PEERS'];
if (peers !== undefined)
  alias.push({ find: /^(?=(?:react|react-dom|@angular\/\w+)(?:\/|$))/, replacement: `${peers}/` });

/** Files that measure the memory of their process, or change classes. Each has a process of its own. */
const alone = ['test/abuse/**/*.e2e-spec.ts', 'test/chaos/**/*.e2e-spec.ts', 'test/sim/*.spec.ts'];

/** The short form of this abuse runs where `CI` is set. */
const notHere = [
  ...configDefaults.exclude,
  ...(thorough || process.env['ABUSE_COUNT'] !== undefined ? [] : ['test/abuse/requests.e2e-spec.ts']),
];

/** The matrix runs its files with Jest, in applications of their own. */
const project = (name: string, include: string[], others: string[] = []): TestProjectInlineConfiguration => ({
  extends: true,
  test: {
    name,
    include,
    exclude: [...configDefaults.exclude, 'test/matrix/app/**', ...others],
    isolate: false,
  },
});

/**
 * Tests whose clients run on WebSockets in `e2e`, and once more on event streams. Not among them:
 * handshakes and frames as bytes, compression, lifecycle, and what instances say to each other.
 */
const onBothDoors = [
  'test/{04-publications,05-recovery}.e2e-spec.ts',
  'test/07-credentials{,.guards}.e2e-spec.ts',
  ...(thorough
    ? [
        'test/01-handshake.e2e-spec.ts',
        'test/02-frames{,.order}.e2e-spec.ts',
        'test/{03,05,06,08}-*.e2e-spec.ts',
        'test/09-*.e2e-spec.ts',
        'test/10-drain.e2e-spec.ts',
        'test/11-presence.e2e-spec.ts',
        'test/{commands,logs,metrics}.e2e-spec.ts',
        'test/module/{contracts,guards,guards.libraries,guards.shipped,observers,peers,refusal-reasons,registry,requests,topics}.e2e-spec.ts',
        'test/module/gateway.*.e2e-spec.ts',
      ]
    : []),
];

export default defineConfig({
  // Nest needs decorator metadata; the key is `decorator`, singular: the plural is silently ignored.
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  resolve: { alias },
  test: {
    // A process that runs many files loads the modules once. That halves the time of a run.
    projects: [
      project('unit', ['src/**/*.spec.ts', 'apps/**/*.spec.ts']),
      project('e2e', ['test/**/*.spec.ts', 'test/**/*.e2e-spec.ts'], alone),
      {
        ...project('streams', onBothDoors),
        test: {
          ...project('streams', onBothDoors).test,
          env: { TEST_DOOR: 'streams' },
          setupFiles: ['test/support/setup.ts', 'test/support/streams-setup.ts'],
        },
      },
      { extends: true, test: { name: 'alone', include: alone, exclude: notHere, isolate: true } },
    ],
    setupFiles: ['test/support/setup.ts'],
    reporters: ['default', './test/support/summary-reporter.ts'],
    sequence: { sequencer: SlowFirst },
    pool: 'forks',
    // Many tests wait for timers and other processes, so two cores have work for three. In CI every
    // engine and browser runs besides.
    maxWorkers: process.env['CI'] === undefined ? 3 : 2,
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});
