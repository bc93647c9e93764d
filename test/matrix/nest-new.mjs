// Applications as `nest new` makes them. Nest 11: CommonJS, Jest, imports without extensions.
// Nest 12: ESM, Vitest.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { output } from './output.mjs';

const example = resolve(import.meta.dirname, '../../examples/nest-11');

const compilerOptions = {
  module: 'nodenext',
  moduleResolution: 'nodenext',
  resolvePackageJsonExports: true,
  esModuleInterop: true,
  isolatedModules: true,
  emitDecoratorMetadata: true,
  experimentalDecorators: true,
  target: 'ES2023',
  outDir: './dist',
  skipLibCheck: true,
  strictNullChecks: true,
  types: ['node', 'jest'],
};

// Vitest of Nest 12 runs the spec as it is, with Jest's `it` and `expect` as globals.
const vitest = `export default { test: { globals: true, include: ['**/*.spec.ts'] } };\n`;

const jest = {
  moduleFileExtensions: ['js', 'json', 'ts'],
  rootDir: 'src',
  testRegex: String.raw`.*\.spec\.ts$`,
  transform: { [String.raw`^.+\.(t|j)s$`]: 'ts-jest' },
  testEnvironment: 'node',
};

/** An application in the shared folder, with these files as its `src`. */
function newApplication(folder, name, files, type = 'commonjs') {
  const isModule = type === 'module';
  const app = mkdtempSync(join(folder, `${name}-`));
  cpSync(files, join(app, 'src'), { recursive: true });
  for (const file of isModule ? [] : readdirSync(join(app, 'src'))) {
    const text = readFileSync(join(app, 'src', file), 'utf8');
    writeFileSync(join(app, 'src', file), text.replaceAll(/'(\.\/[\w.-]+)\.js'/g, "'$1'"));
  }
  writeFileSync(join(app, 'package.json'), JSON.stringify(isModule ? { type } : { jest }));
  if (isModule) writeFileSync(join(app, 'vitest.config.mjs'), vitest);
  writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['src'] }));
  return app;
}

const inJest = (folder, app, ...node) =>
  output(
    app,
    ...(node.length > 0 ? node : [process.execPath]),
    join(folder, 'node_modules/jest/bin/jest.js'),
    '--forceExit',
    '--testTimeout=60000',
  );

const application = join(import.meta.dirname, 'app');

/** Tests the matrix's application with Jest, in this Node or in another one with its flags. */
export async function testedInJest(folder, ...node) {
  await inJest(folder, newApplication(folder, 'jest', application), ...node);
}

/** Fails unless Jest refuses to load the application because Nest is an ES module. */
export async function refusedByJest(folder) {
  const app = newApplication(folder, 'jest', application);
  const failure = await inJest(folder, app).then(
    () => 'the test passed',
    (error) => error.message,
  );
  if (!/Must use import to load ES Module: .*@nestjs/.test(failure)) throw new Error(failure);
}

/** Tests the matrix's application with Vitest. */
export async function testedInVitest(folder) {
  const app = newApplication(folder, 'vitest', application, 'module');
  await output(app, process.execPath, join(folder, 'node_modules/vitest/vitest.mjs'), 'run');
}

/** Builds the matrix's application with `nest build`, and returns the name of its folder. */
export async function built(folder, builder, type = 'commonjs') {
  const app = newApplication(folder, `built-${builder}`, application, type);
  rmSync(join(app, 'src/live.spec.ts'));
  // webpack bundles every package that it does not see in this folder.
  symlinkSync('../node_modules', join(app, 'node_modules'));
  const cli = { sourceRoot: 'src', compilerOptions: { builder } };
  writeFileSync(join(app, 'nest-cli.json'), JSON.stringify(cli));
  await output(app, process.execPath, join(folder, 'node_modules/@nestjs/cli/bin/nest.js'), 'build');
  return basename(app);
}

/** Compiles examples/nest-11 and runs its test; then the application starts, and ends with 0. */
export async function exampleRuns(folder, typescript) {
  const app = newApplication(folder, 'example', example);
  await output(app, process.execPath, join(folder, 'node_modules', typescript, 'bin/tsc'));
  await inJest(folder, app);
  const child = spawn(process.execPath, ['dist/main.js'], { cwd: app, env: { ...process.env, PORT: '0' } });
  let said = '';
  let isStopped = false;
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      said += chunk.toString();
      if (isStopped || !said.includes('successfully started')) return;
      isStopped = true; // a second signal would end it at once
      child.kill('SIGTERM');
    });
  const code = await new Promise((done) => child.on('exit', done));
  if (code !== 0 || !said.includes('successfully started')) throw new Error(`exit code ${code}: ${said}`);
}
