import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromiumFlags } from '../support/chromium.js';
import { chromium, firefox, miniBrowser, type Program, runtimes, webKitGtk } from '../support/programs.js';

const client = pathToFileURL(resolve(import.meta.dirname, '../../dist/client/index.js')).href;
const script = resolve(import.meta.dirname, 'runtime-main.mjs');

export type Command = readonly [string, ...string[]];

const node: Program = { name: `Node ${process.versions.node}`, check: [process.execPath, '-v'], install: '' };

/** Each program, and the command that runs a scenario with this control URL in it. */
export const places: readonly (readonly [Program, (control: string, scenario: string) => Command])[] = [
  ...[node, ...runtimes].map((program) => {
    const before = program.name === 'Deno' ? ['run', '-A'] : [];
    return [
      program,
      (control: string, scenario: string): Command => [
        program.check[0],
        ...before,
        script,
        client,
        control,
        scenario,
      ],
    ] as const;
  }),
  [
    chromium,
    (control, scenario) => [
      'chromium',
      '--headless',
      ...chromiumFlags,
      '--user-data-dir={folder}',
      `${control}/#${scenario}`,
    ],
  ],
  [
    firefox,
    (control, scenario) => ['firefox-esr', '--headless', '--profile', '{folder}', `${control}/#${scenario}`],
  ],
  [webKitGtk, (control, scenario) => ['xvfb-run', '-a', miniBrowser, '--private', `${control}/#${scenario}`]],
];
