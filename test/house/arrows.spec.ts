import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../../src');
const apps = resolve(import.meta.dirname, '../../apps');

/** Which floors a floor may stand on; arrows point down only. */
const below: Record<string, readonly string[]> = {
  protocol: [],
  core: ['protocol'],
  client: ['protocol'],
  ws: ['core', 'protocol'],
  brokers: ['core', 'protocol'],
  testing: ['core', 'client', 'brokers', 'protocol', 'ws'],
  nest: ['core', 'ws', 'brokers', 'protocol'],
  index: ['nest', 'core', 'protocol'],
  parts: ['nest', 'ws', 'brokers', 'core', 'protocol'],
};

/** The rooms of a floor from the ground up: a room may use those of earlier lines only. */
const rooms: Record<string, readonly (readonly string[])[]> = {
  core: [
    ['ports'],
    ['frame'],
    ['outbound'],
    ['connection', 'pace'],
    ['fanout', 'inbound'],
    ['stream', 'publish'],
    ['verbs'],
    ['cluster'],
    ['presence'],
    ['live'],
  ],
  nest: [
    ['options', 'logging'],
    ['gateway'],
    ['auth'],
    ['topics'],
    ['server'],
    ['health', 'metrics'],
    ['module'],
  ],
};

/** Bare packages that a floor may name; a floor that is not listed may name none. `node:` modules count. */
const packages: Record<string, RegExp> = {
  protocol: /^$/,
  client: /^$/,
  core: /^node:(crypto|buffer|zlib)$/,
  brokers: /^(node:(crypto|buffer)|@redis\/client|@nats-io\/.+)$/,
  ws: /^(ws|node:.+)$/,
  testing: /^(ws|node:.+)$/,
  nest: /^(@nestjs\/.+|ws|rxjs.*|class-validator|prom-client|jose|node:.+)$/,
  index: /^$/,
  parts: /^$/,
};

/** What the applications beside the library may name: the library's doors, and packages. */
const appPackages =
  /^(nestjs-live(\/[a-z]+)?|@nestjs\/.+|class-validator|nestjs-pino|pino|jose|prom-client|reflect-metadata|node:.+)$/;

interface Arrow {
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

const floorOf = (file: string): string => (file.split('/')[0] ?? '').replace(/\.ts$/, '');
const roomOf = (file: string): string => (file.split('/')[1] ?? '').replace(/\.ts$/, '');

const arrows: Arrow[] = files.flatMap((file) =>
  importsOf(file).map((name) => ({
    from: file,
    to: name.startsWith('.')
      ? relative(root, resolve(root, dirname(file), name)).replace(/\.js$/, '.ts')
      : name,
  })),
);
const inside = arrows.filter(({ to }) => files.includes(to));
const outside = arrows.filter(({ to }) => !files.includes(to));

describe('house: arrows', () => {
  it('knows every floor', () => {
    expect([...new Set(files.map(floorOf))].filter((floor) => !(floor in below))).toEqual([]);
  });

  it('has arrows that point down only', () => {
    const wrong = inside.filter(({ from, to }) => {
      const [upper, lower] = [floorOf(from), floorOf(to)];
      return upper !== lower && !below[upper]?.includes(lower);
    });
    expect(wrong).toEqual([]);
  });

  it('has arrows between the rooms of a floor that point down only', () => {
    for (const [floor, lines] of Object.entries(rooms)) {
      const heightOf = (file: string): number => lines.findIndex((line) => line.includes(roomOf(file)));
      const own = inside.filter(({ from, to }) => floorOf(from) === floor && floorOf(to) === floor);
      const unknown = own.filter(({ from, to }) => heightOf(from) < 0 || heightOf(to) < 0);
      const wrong = own.filter(
        ({ from, to }) => roomOf(from) !== roomOf(to) && heightOf(from) <= heightOf(to),
      );
      expect({ unknown, wrong }).toEqual({ unknown: [], wrong: [] });
    }
  });

  it('names only the packages that its floor may know', () => {
    const wrong = outside.filter(({ from, to }) => !packages[floorOf(from)]?.test(to));
    expect(wrong).toEqual([]);
  });

  it('reaches each optional peer from one door alone', () => {
    const doors: [RegExp, RegExp][] = [
      [/^@nestjs\/terminus/, /^nest\/health\//],
      [/^prom-client/, /^nest\/metrics\//],
      [/^jose/, /^nest\/auth\/jwt-/],
      [/^@redis/, /^brokers\/redis\//],
      [/^@nats-io/, /^brokers\/nats\//],
    ];
    const wrong = outside.filter(({ from, to }) =>
      doors.some(([name, door]) => name.test(to) && !door.test(from)),
    );
    expect(wrong).toEqual([]);
  });

  it('has no cycle between files', () => {
    const next = new Map<string, Arrow[]>();
    for (const arrow of inside) next.set(arrow.from, [...(next.get(arrow.from) ?? []), arrow]);
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

  it("imports nothing from '../' alone, and has no barrel inside", () => {
    const doors =
      /^(index|nest\/(health|metrics)\/index|(testing|client)\/index|brokers\/(redis|nats)\/index)\.ts$/;
    expect(arrows.filter(({ to }) => to === '..' || to === '../')).toEqual([]);
    expect(files.filter((file) => file.endsWith('index.ts') && !doors.test(file))).toEqual([]);
  });

  it('the applications use the library by its public doors alone', () => {
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

  it('the library loads no application', () => {
    expect(arrows.filter(({ to }) => to.startsWith('nestjs-live') || to.startsWith('../'))).toEqual([]);
  });

  it('keeps the core free of timers, environment and console', () => {
    const words = /\b(setTimeout|setInterval|setImmediate|process\.env|console\.|Date\.now)\b/;
    const wrong = files
      .filter((file) => floorOf(file) === 'core')
      .filter((file) => words.test(readFileSync(join(root, file), 'utf8')));
    expect(wrong).toEqual([]);
  });
});
