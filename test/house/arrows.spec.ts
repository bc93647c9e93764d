import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../../src');
const apps = resolve(import.meta.dirname, '../../apps');

/** The layers that each layer may import. */
const allowedLayers: Record<string, readonly string[]> = {
  protocol: [],
  core: ['protocol'],
  client: ['protocol'],
  bindings: ['client', 'protocol'],
  tabs: ['client', 'protocol'],
  clock: ['core'],
  ws: ['core', 'protocol'],
  sse: ['ws', 'core', 'protocol'],
  brokers: ['core', 'clock', 'protocol'],
  testing: ['core', 'client', 'tabs', 'brokers', 'protocol', 'ws'],
  nest: ['core', 'clock', 'ws', 'sse', 'brokers', 'protocol'],
  index: ['nest', 'brokers', 'core', 'protocol'],
  parts: ['nest', 'brokers', 'core', 'protocol'],
};

/** The folders of a layer, lowest first. A folder may import only folders of earlier lines. */
const folders: Record<string, readonly (readonly string[])[]> = {
  core: [
    ['ports'],
    ['frame'],
    ['outbound'],
    ['connection', 'pace'],
    ['fanout', 'inbound'],
    ['stream', 'publish'],
    ['verbs'],
    ['cluster'],
    ['presence', 'occupancy'],
    ['audience'],
    ['live-stats'],
    ['live'],
  ],
  nest: [
    ['options', 'logging'],
    ['gateway'],
    ['auth'],
    ['topics'],
    ['server'],
    ['asyncapi', 'health', 'metrics'],
    ['module'],
  ],
};

/**
 * The packages that each layer may import, including `node:` modules. A layer that is not listed
 * may import none.
 */
const packages: Record<string, RegExp> = {
  protocol: /^$/,
  client: /^$/,
  tabs: /^$/,
  bindings: /^(react|vue|@angular\/core|rxjs)$/,
  clock: /^$/,
  core: /^node:(crypto|buffer|zlib)$/,
  brokers: /^(node:(crypto|buffer)|@redis\/client|@nats-io\/.+)$/,
  ws: /^(ws|node:.+)$/,
  sse: /^node:.+$/,
  testing: /^(ws|node:.+)$/,
  nest: /^(@nestjs\/.+|ws|rxjs.*|class-validator(-jsonschema)?|class-transformer|@valibot\/to-json-schema|prom-client|jose|node:.+)$/,
  index: /^$/,
  parts: /^$/,
};

/** Imports that the applications may use: entry points of the library, and packages. */
const appPackages =
  /^(nestjs-live(\/[a-z]+)?|@nestjs\/.+|class-validator|nestjs-pino|pino|jose|prom-client|reflect-metadata|node:.+)$/;

interface Import {
  readonly from: string;
  readonly to: string;
}

const filesUnder = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
    .toSorted();
const files = filesUnder(root);

function importsOf(file: string, folder = root): string[] {
  const text = readFileSync(join(folder, file), 'utf8');
  const statements = text.matchAll(
    /^(?:(?:import|export)\s[\w\s{},*]*?\sfrom\s|import\s)'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm,
  );
  return [...statements].map((match) => match[1] ?? match[2] ?? '');
}

const layerOf = (file: string): string => (file.split('/')[0] ?? '').replace(/\.ts$/, '');
const folderOf = (file: string): string => (file.split('/')[1] ?? '').replace(/\.ts$/, '');

const imports: Import[] = files.flatMap((file) =>
  importsOf(file).map((name) => ({
    from: file,
    to: name.startsWith('.')
      ? relative(root, resolve(root, dirname(file), name)).replace(/\.js$/, '.ts')
      : name,
  })),
);
const inside = imports.filter(({ to }) => files.includes(to));
const outside = imports.filter(({ to }) => !files.includes(to));

describe('house: imports', () => {
  it('every layer of src has its rules here', () => {
    expect([...new Set(files.map(layerOf))].filter((layer) => !(layer in allowedLayers))).toEqual([]);
  });

  it('layers import only lower layers', () => {
    const wrong = inside.filter(({ from, to }) => {
      const [upper, lower] = [layerOf(from), layerOf(to)];
      return upper !== lower && !allowedLayers[upper]?.includes(lower);
    });
    expect(wrong).toEqual([]);
  });

  it('folders of a layer import only lower folders of the layer', () => {
    for (const [layer, lines] of Object.entries(folders)) {
      const heightOf = (file: string): number => lines.findIndex((line) => line.includes(folderOf(file)));
      const own = inside.filter(({ from, to }) => layerOf(from) === layer && layerOf(to) === layer);
      const unknown = own.filter(({ from, to }) => heightOf(from) < 0 || heightOf(to) < 0);
      const wrong = own.filter(
        ({ from, to }) => folderOf(from) !== folderOf(to) && heightOf(from) <= heightOf(to),
      );
      expect({ unknown, wrong }).toEqual({ unknown: [], wrong: [] });
    }
  });

  it('each layer imports only the packages that it may use', () => {
    const wrong = outside.filter(({ from, to }) => !packages[layerOf(from)]?.test(to));
    expect(wrong).toEqual([]);
  });

  it('each optional peer is imported from one folder only', () => {
    const entryPoints: [RegExp, RegExp][] = [
      [/^@nestjs\/terminus/, /^nest\/health\//],
      [/^(class-validator-jsonschema|@valibot)/, /^nest\/asyncapi\//],
      [/^prom-client/, /^nest\/metrics\//],
      [/^react/, /^bindings\/react\.ts$/],
      [/^vue/, /^bindings\/vue\.ts$/],
      [/^@angular/, /^bindings\/angular\.ts$/],
      [/^jose/, /^nest\/auth\/jwt-/],
      [/^@redis/, /^brokers\/redis\//],
      [/^@nats-io/, /^brokers\/nats\//],
    ];
    const wrong = outside.filter(({ from, to }) =>
      entryPoints.some(([name, entryPoint]) => name.test(to) && !entryPoint.test(from)),
    );
    expect(wrong).toEqual([]);
  });

  it('no files import each other in a cycle', () => {
    const next = new Map<string, Import[]>();
    for (const each of inside) next.set(each.from, [...(next.get(each.from) ?? []), each]);
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
      if (done.has(file) || path.includes(file)) return;
      for (const { to } of next.get(file) ?? []) visit(to, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(cycles).toEqual([]);
  });

  it("nothing is imported from '../', and only entry points are index files", () => {
    const entryPoints =
      /^(index|nest\/(asyncapi|health|metrics)\/index|(testing|client|tabs)\/index|brokers\/((redis|nats)\/)?index)\.ts$/;
    expect(imports.filter(({ to }) => to === '..' || to === '../')).toEqual([]);
    expect(files.filter((file) => file.endsWith('index.ts') && !entryPoints.test(file))).toEqual([]);
  });

  it('the applications import only the public entry points of the library', () => {
    const wrong = filesUnder(apps).flatMap((file) =>
      importsOf(file, apps)
        .filter((name) =>
          name.startsWith('.')
            ? relative(apps, resolve(apps, dirname(file), name)).startsWith('..')
            : !appPackages.test(name),
        )
        .map((to) => ({ from: file, to })),
    );
    expect(wrong).toEqual([]);
  });

  it('the library imports no application', () => {
    expect(imports.filter(({ to }) => to.startsWith('nestjs-live') || to.startsWith('../'))).toEqual([]);
  });

  it('the core uses no timers, environment variables or console', () => {
    const words = /\b(setTimeout|setInterval|setImmediate|process\.env|console\.|Date\.now)\b/;
    const wrong = files
      .filter((file) => layerOf(file) === 'core')
      .filter((file) => words.test(readFileSync(join(root, file), 'utf8')));
    expect(wrong).toEqual([]);
  });
});
