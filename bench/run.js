// Runs all benchmarks one after the other. Installs the packages of the peers first.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { endsWithThis } from './lib/ending.js';
import { cleanCommit } from './lib/environment.js';
import { fileIn, progress, readOptions } from './lib/options.js';
import { refusalsOf, summaryOf } from './lib/page.js';
import { steady, untilSteady } from './lib/steadiness.js';
import { percent } from './lib/table.js';

/** Each program with its duration in minutes and its options for a short run. */
const programs = {
  'fan-out': { minutes: 45, quick: ['--rounds', '2', '--warm-up', '2', '--share', '0.1', '--idle', '2'] },
  idle: { minutes: 5, quick: ['--rounds', '1', '--connections', '1000'] },
  quiet: { minutes: 4, quick: ['--rounds', '1', '--seconds', '3', '--connections', '200'] },
  'topic-memory': {
    minutes: 6,
    quick: ['--rounds', '1', '--topics', '5000', '--connections', '50', '--wait', '1'],
  },
  publish: { minutes: 12, quick: ['--rounds', '2', '--warm-up', '1', '--messages', '2000'] },
  inbound: { minutes: 2, quick: ['--rounds', '2', '--warm-up', '1', '--messages', '500'] },
  slow: { minutes: 5, quick: ['--clients', '100', '--seconds', '9', '--policies', 'skip,conflate'] },
  compression: { minutes: 2, quick: ['--rounds', '2', '--warm-up', '1', '--share', '0.3'] },
  many: {
    minutes: 4,
    quick: ['--rounds', '1', '--warm-up', '1', '--clients', '2000', '--publications', '4'],
  },
  crowd: { minutes: 2, quick: ['--rounds', '1', '--crowd', '500', '--clients', '50'] },
  recover: { minutes: 1, quick: ['--clients', '200'] },
  drain: { minutes: 1, quick: ['--clients', '200', '--quiet', '2'] },
  rolling: { minutes: 1, quick: ['--clients', '200', '--rounds', '1'] },
  poll: { minutes: 1, quick: ['--clients', '200', '--topics', '20', '--seconds', '3'] },
  broker: { minutes: 2, quick: ['--rounds', '2', '--seconds', '1', '--messages', '3000'] },
  jitter: {
    minutes: 4,
    quick: ['--clients', '50', '--publications', '20', '--cut-every', '4', '--offline', '1'],
  },
};
const names = Object.keys(programs);
const minutesOf = (some) => some.reduce((sum, name) => sum + programs[name].minutes, 0);

const help = `npm run bench -- [options]

Runs all benchmarks in about ${String(minutesOf(names))} minutes, prints the tables, and writes them to docs/benchmarks.md.

  --only a,b       only some of ${names.join(', ')}; writes nothing without --write
  --quick          a short run of each, in about 4 minutes, to see that they work; writes nothing
                   without --write
  --write <file>   writes the tables to this file
  --resume         takes the tables that an interrupted run of this commit has made, and makes the others

No page is written with invalid figures, or with rounds that differ by more than ${percent(steady)}: the exit code is 1.
`;

const options = await readOptions({ only: undefined, quick: false, resume: false, write: undefined }, help);
const chosen = options.only?.split(',') ?? names;
const unknown = chosen.find((name) => !names.includes(name));
if (unknown !== undefined) {
  process.stderr.write(`No such program: ${unknown}\n\n${help}`);
  process.exit(2);
}
const here = fileURLToPath(new URL('.', import.meta.url));
const page = fileURLToPath(new URL('../docs/benchmarks.md', import.meta.url));
const whole = options.only === undefined && !options.quick;
const write = options.write ?? (whole ? page : undefined);

if (!existsSync(new URL('../dist/index.js', import.meta.url))) {
  process.stderr.write('There is no build to measure: run npm run build\n');
  process.exit(2);
}
if (modified('node_modules/.package-lock.json') < modified('package-lock.json')) {
  progress('installing the peers …\n');
  execFileSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: here,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

const start = performance.now();
const pages = [];
for (const name of chosen) {
  const kept = options.quick ? undefined : placeOf(name);
  if (options.resume && kept !== undefined && existsSync(kept)) {
    progress(`${name}: taken from ${kept}\n`);
    pages.push(readFileSync(kept, 'utf8'));
    continue;
  }
  if (!options.quick) progress(`\n${name}, about ${String(programs[name].minutes)} minutes\n`);
  // The fan-out repeats a scenario by itself.
  const text = await untilSteady(() => run(name), name === 'fan-out' || options.quick ? 1 : 3);
  if (kept !== undefined && refusalsOf(summaryOf(text)).length === 0) writeFileSync(kept, text);
  pages.push(text);
}
const targets = summaryOf(pages.join(''));
process.stdout.write(`${targets}\n`);
progress(`${((performance.now() - start) / 60_000).toFixed(1)} minutes\n`);
const refusals = refusalsOf(targets);
if (refusals.length > 0) process.exitCode = 1;
if (write !== undefined && refusals.length > 0) {
  process.stderr.write(
    `\n!! ${write} was not written: its figures would not be true.\n${refusals.join('\n')}\nRepeat it on a quiet machine.\n`,
  );
} else if (write !== undefined) {
  const head = `# Benchmarks\n\nGenerated by \`npm run bench\`${options.quick ? ' -- --quick, whose figures must not be quoted' : ''} on an idle machine, never edited. What the figures mean: [bench/README.md](../bench/README.md).\n\n`;
  writeFileSync(write, `${head}${targets}\n${pages.join('')}`);
  progress(`written: ${write}\n`);
}

/** Where the output of a program is kept. `undefined` if files of the commit have changed. */
function placeOf(name) {
  const commit = cleanCommit();
  if (commit === undefined) return undefined;
  const folder = fileURLToPath(new URL(`../node_modules/.cache/bench/${commit}`, import.meta.url));
  return fileIn(folder, `${name}.md`);
}

/** Runs a program, prints its output, and returns it. */
async function run(name) {
  const more = options.quick ? programs[name].quick : [];
  const child = spawn(process.execPath, [`${name}.js`, ...more], {
    cwd: here,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  endsWithThis(child);
  const printed = [];
  child.stdout.on('data', (chunk) => {
    printed.push(chunk);
    process.stdout.write(chunk);
  });
  const [code] = await once(child, 'close');
  if (code !== 0) process.exitCode = 1;
  const text = Buffer.concat(printed).toString();
  return code === 0 ? text : `${text}INVALID: ${name}.js ended with ${String(code)}.\n\n`;
}

/** When a file of this folder was last modified. 0 if it does not exist. */
function modified(file) {
  return statSync(new URL(file, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
