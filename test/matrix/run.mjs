// `npm run matrix`: packs the package and tries it in applications of every kind in SUPPORT.md.
import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';

const help = `Packs nestjs-live and tries the tarball where users are: Nest 11 and 12, ESM and CommonJS, Express and Fastify,
TypeScript 5.9 to 7, Jest, the builders of @nestjs/cli, several Nodes, and a front end without Nest.

  npm run matrix -- [--quick] [--only TEXT] [--keep] [--list]

  --quick      Nest 11 on this Node with the oldest compiler and Jest, and the front end: about a minute
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

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');
const work = mkdtempSync(join(tmpdir(), 'nestjs-live-matrix-'));
const nodes = [process.execPath, ...['NODE22', 'NODE24', 'NODE26'].map((name) => process.env[name])].filter(
  (file) => file !== undefined && existsSync(file),
);
const compilers = values.quick ? ['5.9'] : ['5.9', '6', '7'];
// No dependency needs its scripts.
const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts', '--loglevel=error'];

/** Runs a program; a failure has what it printed. */
async function output(cwd, file, ...args) {
  try {
    const { stdout } = await run(file, args, { cwd, maxBuffer: 2 ** 26 });
    return stdout.trim();
  } catch (error) {
    throw new Error(`${error.message}\n${error.stdout ?? ''}`, { cause: error });
  }
}

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
    const others = [
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
      ...others,
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

for (const nest of values.quick ? ['11'] : ['11', '12']) {
  const jest = nest === '11' ? ['jest@30', 'ts-jest@29', '@types/jest@30', 'typescript@5.9'] : [];
  const builders =
    nest === '11' && !values.quick ? ['@nestjs/cli@11', '@swc/cli', '@swc/core', 'webpack', 'ts-loader'] : [];
  const folder = nestFolder(nest, [...jest, ...builders]);
  for (const version of compilers) {
    line(`Nest ${nest}, ESM, TypeScript ${version}, nodenext`, async () =>
      compile(await folder(), 'module', version, 'nodenext', 'nodenext'),
    );
    line(`Nest ${nest}, ESM, TypeScript ${version}, node16`, async () =>
      compile(await folder(), 'module', version, 'node16', 'node16', '--noEmit'),
    );
    line(`Nest ${nest}, ESM, TypeScript ${version}, bundler`, async () =>
      compile(await folder(), 'module', version, 'esnext', 'bundler', '--noEmit'),
    );
    line(`Nest ${nest}, CommonJS, TypeScript ${version}, nodenext`, async () =>
      compile(await folder(), 'commonjs', version, 'nodenext', 'nodenext'),
    );
    // Nest 12 itself is ESM only, which node16 does not let a CommonJS file import.
    if (nest === '11')
      line(`Nest ${nest}, CommonJS, TypeScript ${version}, node16`, async () =>
        compile(await folder(), 'commonjs', version, 'node16', 'node16', '--noEmit'),
      );
  }
  for (const node of values.quick ? nodes.slice(0, 1) : nodes) {
    const { stdout: nodeVersion } = await run(node, ['--version']);
    for (const type of ['module', 'commonjs']) {
      for (const adapter of ['express', 'fastify']) {
        line(
          `Nest ${nest}, ${type === 'module' ? 'ESM' : 'CommonJS'}, Node ${nodeVersion.trim()}, ${adapter}`,
          async () => serves(await folder(), type, node, adapter),
        );
      }
    }
  }
  if (jest.length > 0)
    line(`Nest ${nest}, CommonJS, Jest as nest new sets it up`, async () => inJest(await folder()));
  if (builders.length > 0) {
    for (const builder of ['tsc', 'swc', 'webpack'])
      line(`Nest ${nest}, CommonJS, nest build with ${builder}`, async () => built(await folder(), builder));
  }
}

/** A copy of the application whose imports have no extension, as Nest 11 writes them. */
function bare(folder, name) {
  const target = join(folder, name);
  cpSync(join(import.meta.dirname, 'app'), target, { recursive: true });
  for (const file of readdirSync(target)) {
    const text = readFileSync(join(target, file), 'utf8');
    writeFileSync(join(target, file), text.replaceAll(/'(\.\/[\w.-]+)\.js'/g, "'$1'"));
  }
  return target;
}

const nestCompilerOptions = {
  module: 'commonjs',
  moduleResolution: 'node16',
  esModuleInterop: true,
  emitDecoratorMetadata: true,
  experimentalDecorators: true,
  target: 'ES2022',
  outDir: './dist',
  skipLibCheck: true,
  types: ['node', 'jest'],
};

async function inJest(folder) {
  const app = bare(folder, 'jest');
  const jest = {
    moduleFileExtensions: ['js', 'json', 'ts'],
    testRegex: String.raw`\.jest\.ts$`,
    transform: { [String.raw`^.+\.(t|j)s$`]: 'ts-jest' },
    testEnvironment: 'node',
  };
  writeFileSync(join(app, 'package.json'), JSON.stringify({ jest }));
  const compilerOptions = { ...nestCompilerOptions, module: 'node16' };
  writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  await output(app, process.execPath, join(folder, 'node_modules/jest/bin/jest.js'), '--forceExit');
}

async function built(folder, builder) {
  const app = bare(folder, `built-${builder}`);
  mkdirSync(join(app, 'src'));
  for (const file of ['app.module.ts', 'drive.ts', 'main.ts'])
    cpSync(join(app, file), join(app, 'src', file));
  for (const file of readdirSync(app)) if (file.endsWith('.ts')) rmSync(join(app, file));
  writeFileSync(join(app, 'package.json'), '{}');
  writeFileSync(
    join(app, 'nest-cli.json'),
    JSON.stringify({ sourceRoot: 'src', compilerOptions: { builder } }),
  );
  const compilerOptions = { ...nestCompilerOptions, module: 'node16', rootDir: './src' };
  writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['src'] }));
  await output(app, process.execPath, join(folder, 'node_modules/@nestjs/cli/bin/nest.js'), 'build');
  await serves(folder, `built-${builder}`, process.execPath, 'express', 'dist/main.js');
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
for (const { name, run } of lines.filter(({ name }) => name.includes(values.only))) {
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
if (values.keep) console.log(`The folders are in ${work}`);
else rmSync(work, { recursive: true, force: true });
if (failed > 0) process.exitCode = 1;
