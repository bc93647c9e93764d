// `npm run matrix`: packs the package and tries it in applications of every kind in SUPPORT.md.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { built, exampleRuns, refusedByJest, testedInJest, testedInVitest } from './nest-new.mjs';
import { output } from './output.mjs';

const help = `Packs nestjs-live and tries the tarball where users are: Nest 11 and 12, ESM and CommonJS, Express and Fastify,
TypeScript 5.9 to 7, Jest, Vitest, the builders of @nestjs/cli, several Nodes, and a front end without Nest.

  npm run matrix -- [--quick] [--only TEXT] [--keep] [--list]

  --quick      Nest 11 on this Node and the newest, the oldest and the newest compiler, Jest, and the front end
  --only TEXT  only the lines whose name contains TEXT
  --keep       leave the temporary folders, and print where they are
  --list       print the names of the lines and run none
  --help       this text

Nodes beside this one are those that NODE22, NODE24 and NODE26 name; .ci/run sets them. Exits with 1 when a line fails.`;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    keep: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(help);
  process.exit(0);
}

const root = resolve(import.meta.dirname, '../..');
const work = mkdtempSync(join(tmpdir(), 'nestjs-live-matrix-'));
const others = ['NODE22', 'NODE24', 'NODE26'].map((name) => process.env[name]);
const installed = others.filter((file) => file !== undefined && existsSync(file));
const nodes = [process.execPath, ...(values.quick ? installed.slice(-1) : installed)];
const compilers = values.quick ? ['5.9', '7'] : ['5.9', '6', '7'];
// No dependency needs its scripts.
const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts', '--loglevel=error'];

async function pack() {
  await output(root, 'npm', 'pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', work);
  return join(
    work,
    readdirSync(work).find((file) => file.endsWith('.tgz')),
  );
}

/** A folder with its dependencies, made when the first line needs it. */
function lazily(make) {
  let made;
  return () => (made ??= make());
}

const tarball = lazily(pack);

function nestFolder(nest, more = []) {
  return lazily(async () => {
    const folder = join(work, `nest${nest}`);
    mkdirSync(folder);
    writeFileSync(join(folder, 'package.json'), '{ "private": true }');
    const parts = 'common core platform-express platform-fastify platform-ws websockets testing'.split(' ');
    const typescripts = compilers.map(
      (version) => `typescript${version.replace('.', '')}@npm:typescript@${version}`,
    );
    const libraries = [
      'reflect-metadata',
      'rxjs@7',
      'class-validator@0.15',
      'class-transformer',
      '@types/node@20',
      '@types/ws',
      '@types/express@5',
    ];
    const nestParts = parts.map((name) => `@nestjs/${name}@${nest}`);
    await output(
      folder,
      'npm',
      'install',
      ...quiet,
      await tarball(),
      ...nestParts,
      ...libraries,
      ...typescripts,
      ...more,
    );
    for (const type of ['module', 'commonjs']) {
      cpSync(join(import.meta.dirname, 'app'), join(folder, type), { recursive: true });
      writeFileSync(join(folder, type, 'package.json'), JSON.stringify({ type }));
    }
    return folder;
  });
}

const common = ['--strict', '--skipLibCheck', 'false', '--experimentalDecorators', '--emitDecoratorMetadata'];
const targets = [
  '--target',
  'es2022',
  '--lib',
  'es2023,dom',
  '--types',
  'node',
  '--rootDir',
  '.',
  '--outDir',
  'out',
];

/** Compiles the application; declaration files are checked as well. */
async function compile(folder, type, version, module, resolution, ...more) {
  const tsc = join(folder, `node_modules/typescript${version.replace('.', '')}/bin/tsc`);
  const kind = ['--module', module, '--moduleResolution', resolution];
  await output(join(folder, type), process.execPath, tsc, ...common, ...targets, ...kind, ...more, 'main.ts');
}

const expected = 'refused 401, event 1, hello ann, closed 1001, reason server shutting down, while closing';

async function serves(folder, type, node, adapter, main = 'out/main.js') {
  const line = (await output(join(folder, type), node, '--no-warnings', main, adapter)).split('\n').at(-1);
  const isRight =
    line.startsWith(expected) && /closing (stopping|draining)/.test(line) && line.endsWith('interceptor ran');
  if (!isRight) throw new Error(`printed: ${line}`);
}

const lines = [];
const line = (name, run) => lines.push({ name, run });
const kindOf = (type) => (type === 'module' ? 'ESM' : 'CommonJS');

/** The compilers' lines. The quick form has one compiler for each module system. */
function compilerLines(nest, folder) {
  for (const version of compilers) {
    const isQuick = (...types) => !values.quick || types.includes(version);
    const add = (type, module, resolution, ...more) =>
      line(`Nest ${nest}, ${kindOf(type)}, TypeScript ${version}, ${resolution}`, async () =>
        compile(await folder(), type, version, module, resolution, ...more),
      );
    if (isQuick('7')) add('module', 'nodenext', 'nodenext');
    if (isQuick('7')) add('module', 'node16', 'node16', '--noEmit');
    if (isQuick('7')) add('module', 'esnext', 'bundler', '--noEmit');
    if (isQuick('5.9')) add('commonjs', 'nodenext', 'nodenext');
    // Nest 12 itself is ESM only, which node16 does not let a CommonJS file import.
    if (nest === '11' && isQuick('7')) add('commonjs', 'node16', 'node16', '--noEmit');
  }
}

const webpackPlugins = [
  'webpack-node-externals',
  'tsconfig-paths-webpack-plugin',
  'fork-ts-checker-webpack-plugin',
];

/** What `nest build` of each version can build. Its webpack refuses ESM. */
const buildersOf = {
  11: { commonjs: ['tsc', 'swc', 'webpack'] },
  12: { module: ['tsc', 'swc', 'rspack'], commonjs: ['tsc', 'swc', 'rspack', 'webpack'] },
};

/** Whether a version such as `v24.11.0` is at least this one. */
function isSince(version, major, minor) {
  const [ofMajor, ofMinor] = version.slice(1).split('.').map(Number);
  return ofMajor > major || (ofMajor === major && ofMinor >= minor);
}

for (const nest of values.quick ? ['11'] : ['11', '12']) {
  const folder = nestFolder(nest, [
    'jest@30',
    'ts-jest@29',
    '@types/jest@30',
    'typescript@5.9',
    ...(values.quick ? [] : [`@nestjs/cli@${nest}`, '@swc/cli', '@swc/core', 'webpack', 'ts-loader']),
    ...(nest === '12' ? ['@rspack/core', ...webpackPlugins, 'vitest@4'] : []),
  ]);
  compilerLines(nest, folder);
  for (const node of nodes) {
    const version = await output(work, node, '--version');
    for (const type of ['module', 'commonjs'])
      for (const adapter of ['express', 'fastify'])
        line(`Nest ${nest}, ${kindOf(type)}, Node ${version}, ${adapter}`, async () =>
          serves(await folder(), type, node, adapter),
        );
  }
  if (nest === '11') {
    line('Nest 11, CommonJS, Jest as nest new sets it up', async () => testedInJest(await folder()));
    line('Nest 11, CommonJS, examples/nest-11 as an application of nest new', async () =>
      exampleRuns(await folder(), 'typescript59'),
    );
  } else {
    line('Nest 12, ESM, Vitest as nest new sets it up', async () => testedInVitest(await folder()));
    line('Nest 12, CommonJS, Jest without a flag cannot load Nest', async () =>
      refusedByJest(await folder()),
    );
    for (const node of nodes) {
      const version = await output(work, node, '--version');
      // Older ones cannot tell Jest that an ES module awaits nothing.
      if (!isSince(version, 24, 9)) continue;
      line(`Nest 12, CommonJS, Jest with --experimental-vm-modules, Node ${version}`, async () =>
        testedInJest(await folder(), node, '--experimental-vm-modules'),
      );
    }
  }
  for (const [type, builders] of Object.entries(values.quick ? {} : buildersOf[nest]))
    for (const builder of builders)
      line(`Nest ${nest}, ${kindOf(type)}, nest build with ${builder}`, async () => {
        const app = await built(await folder(), builder, type);
        await serves(await folder(), app, process.execPath, 'express', 'dist/main.js');
      });
}

const alone = lazily(async () => {
  const folder = join(work, 'alone');
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  await output(folder, 'npm', 'install', ...quiet, await tarball());
  return folder;
});

line('A front end: the package brings ws and nothing else, and its client runs', async () => {
  const folder = await alone();
  const installed = readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'));
  if (installed.join() !== 'nestjs-live,ws') throw new Error(`installed: ${installed.join(', ')}`);
  const program = "import { connect } from 'nestjs-live/client'; console.log(typeof connect)";
  const esm = await output(folder, process.execPath, '--input-type=module', '-e', program);
  const require = "console.log(typeof require('nestjs-live/client').connect)";
  const cjs = await output(folder, process.execPath, '--input-type=commonjs', '-e', require);
  if (esm !== 'function' || cjs !== 'function') throw new Error(`import: ${esm}, require: ${cjs}`);
});

line('The command: npx nestjs-live without its packages says which to install', async () => {
  const failure = await output(await alone(), 'npx', '--no-install', 'nestjs-live', '--help').then(
    () => '',
    (error) => error.message,
  );
  if (!/npm install .*@nestjs\/core.*nestjs-pino/.test(failure)) throw new Error(`printed: ${failure}`);
});

let failed = 0;
const chosen = lines.filter(({ name }) => name.includes(values.only));
for (const { name, run } of chosen) {
  if (values.list) {
    console.log(name);
    continue;
  }
  const startedMs = performance.now();
  let problem;
  try {
    await run();
  } catch (error) {
    problem = error.message;
    failed += 1;
  }
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  console.log(`${problem === undefined ? 'ok  ' : 'FAIL'}  ${name}  ${seconds} s`);
  if (problem !== undefined) console.log(problem.slice(0, 3_000).replaceAll(/^/gm, '      '));
}
if (!values.list) {
  const minutes = (performance.now() / 60_000).toFixed(1);
  console.log(`${chosen.length - failed} of ${chosen.length} lines passed in ${minutes} min`);
}
if (values.keep) console.log(`The folders are in ${work}`);
else rmSync(work, { recursive: true, force: true });
if (failed > 0) process.exitCode = 1;
