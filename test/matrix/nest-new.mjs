// Applications as `nest new` of Nest 11 makes them: CommonJS, Jest, imports without extensions.
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
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

const jest = {
  moduleFileExtensions: ['js', 'json', 'ts'],
  rootDir: 'src',
  testRegex: String.raw`.*\.spec\.ts$`,
  transform: { [String.raw`^.+\.(t|j)s$`]: 'ts-jest' },
  testEnvironment: 'node',
};

/** An application in the shared folder, with these files as its `src`. */
function newApplication(folder, name, files) {
  const app = join(folder, name);
  mkdirSync(app);
  cpSync(files, join(app, 'src'), { recursive: true });
  for (const file of readdirSync(join(app, 'src'))) {
    const text = readFileSync(join(app, 'src', file), 'utf8');
    writeFileSync(join(app, 'src', file), text.replaceAll(/'(\.\/[\w.-]+)\.js'/g, "'$1'"));
  }
  writeFileSync(join(app, 'package.json'), JSON.stringify({ jest }));
  writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['src'] }));
  return app;
}

const inJest = (folder, app) =>
  output(
    app,
    process.execPath,
    join(folder, 'node_modules/jest/bin/jest.js'),
    '--forceExit',
    '--testTimeout=60000',
  );

/** Tests the matrix's application with Jest. */
export async function testedInJest(folder) {
  await inJest(folder, newApplication(folder, 'jest', join(import.meta.dirname, 'app')));
}

/** Builds the matrix's application with a builder of `nest build`, into `built-<builder>/dist`. */
export async function built(folder, builder) {
  const app = newApplication(folder, `built-${builder}`, join(import.meta.dirname, 'app'));
  rmSync(join(app, 'src/live.spec.ts'));
  // webpack bundles every package that it does not see in this folder.
  symlinkSync('../node_modules', join(app, 'node_modules'));
  const cli = { sourceRoot: 'src', compilerOptions: { builder } };
  writeFileSync(join(app, 'nest-cli.json'), JSON.stringify(cli));
  await output(app, process.execPath, join(folder, 'node_modules/@nestjs/cli/bin/nest.js'), 'build');
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
