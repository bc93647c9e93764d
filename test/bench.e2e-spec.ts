import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { describeWith, redisServer } from './support/programs.js';
import { thorough } from './support/thorough.js';

const run = promisify(execFile);
const bench = resolve(import.meta.dirname, '../bench');
const programs = readdirSync(bench).filter((file) => file.endsWith('.js'));

/** What a program prints. Rejects if it fails or a figure is invalid. */
async function printed(program: string, ...options: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [join(bench, program), ...options], { timeout: 90_000 });
  expect(stdout).not.toContain('INVALID');
  return stdout;
}

/** The figures in the columns of a row, after its title. */
function figuresOf(text: string, title: string): number[] {
  const row = text.split('\n').find((line) => line.startsWith(`| ${title} `));
  const cells = row?.split('|').slice(2, -1) ?? [];
  return cells.map((cell) => Number.parseFloat(cell.replace('±', '')));
}

interface Page {
  summaryOf(text: string): string;
  refusalsOf(summary: string): string[];
}
interface Steadiness {
  unsteadyLines(figures: readonly (readonly [string, readonly number[]])[]): string;
  untilSteady(measure: () => Promise<string>, most?: number): Promise<string>;
}

const lib = (file: string): Promise<unknown> => import(pathToFileURL(join(bench, 'lib', file)).href);

describe('The benchmarks', () => {
  it('figures whose rounds differ by more than 15 % keep a page from being written', async () => {
    const { summaryOf, refusalsOf } = (await lib('page.js')) as Page;
    const { unsteadyLines } = (await lib('steadiness.js')) as Steadiness;
    const refusals = (rounds: readonly number[]): string[] =>
      refusalsOf(summaryOf(`### K: topics\n\n${unsteadyLines([['nestjs-live', rounds]])}`));
    expect(refusals([100, 100, 129])).toEqual([]);
    expect(refusals([100, 100, 131])).toEqual(['- Unsteady: K: topics: nestjs-live: ±16 %']);
    // Of seven rounds, one may be disturbed on each side.
    expect(refusals([50, 100, 100, 100, 100, 100, 150])).toEqual([]);
    expect(refusals([50, 80, 100, 100, 100, 112, 150])).toEqual([
      '- Unsteady: K: topics: nestjs-live: ±16 %',
    ]);
    expect(refusalsOf(summaryOf('### A: one\n\n| ws: INVALID, lost |\n'))).toEqual(['- INVALID: A: one']);
  });

  it('an unsteady measurement is repeated until it is steady, but not for ever', async () => {
    const { untilSteady } = (await lib('steadiness.js')) as Steadiness;
    const tries = async (texts: readonly string[], most?: number): Promise<unknown> => {
      let times = 0;
      const text = await untilSteady(() => Promise.resolve(texts[times++] ?? ''), most);
      return [text, times];
    };
    const unsteady = 'Unsteady: nestjs-live: ±16 %.';
    expect(await tries(['fine'])).toEqual(['fine', 1]);
    expect(await tries([unsteady, 'fine'])).toEqual(['fine', 2]);
    expect(await tries([unsteady, unsteady, unsteady, 'fine'])).toEqual([unsteady, 3]);
    expect(await tries([unsteady, 'fine'], 1)).toEqual([unsteady, 1]);
  });

  it.each(programs)('%s lists its options', async (program) => {
    expect(await printed(program, '--help')).toContain('--node');
  });

  it('a signal is left to the servers of bench/drain.js, which drain', async () => {
    const script = `await import('./lib/asking.js'); console.log(process.listenerCount('SIGTERM'))`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: bench });
    expect(stdout).toBe('0\n');
  });

  it('a short run of collection.js gets every key of a collection that changes', async () => {
    const text = await printed('collection.js', '--keys', '3000', '--updates', '200', '--joins', '2');
    expect(text).toMatch(/3000 keys of \d+ bytes, 200 updates a second, 2 joins/);
    expect(text).toMatch(/complete after the first page: p50 \d+ ms/);
  });

  it('a short run of fan-out.js counts every delivery of K and of L', async () => {
    const small = ['--share', '0.02', '--rounds', '1', '--warm-up', '0', '--idle', '1'];
    const text = await printed(
      'fan-out.js',
      ...small,
      '--scenarios',
      'K,L',
      '--peers',
      'nestjs-live,ws-loop',
    );
    expect(text.match(/^### [KL]:/gm)).toEqual(['### K:', '### L:']);
    expect(figuresOf(text, 'nestjs-live')[0]).toBeGreaterThan(0);
    expect(figuresOf(text, 'ws, stringify and send per client')[3]).toBe(1);
  }, 100_000);

  it('a short run of publish.js has a figure without readers and one with a reader', async () => {
    const small = ['--messages', '500', '--rounds', '1', '--warm-up', '0', '--brokers', 'memory'];
    const text = await printed('publish.js', ...small, '--topics', 'history');
    const [, none = 0, , , , one = 0] = figuresOf(text, 'memory');
    expect(none).toBeGreaterThan(0);
    expect(one).toBeGreaterThan(0);
  }, 100_000);

  it('a short run of quiet.js has the CPU time of idle servers', async () => {
    const small = ['--connections', '20', '--rounds', '1', '--seconds', '1'];
    const text = await printed('quiet.js', ...small, '--peers', 'nestjs-live,ws-loop');
    expect(figuresOf(text, 'nestjs-live')[0]).toBeGreaterThan(0);
    expect(text).toContain('20 connections');
  }, 100_000);

  it.runIf(thorough)(
    'a short run of tabs.js has one connection for ten tabs, which all get the publication',
    async () => {
      const text = await printed('tabs.js', '--browsers', '20', '--rounds', '1');
      expect(figuresOf(text, '10 tabs that share')[0]).toBe(1);
      expect(figuresOf(text, '10 tabs, a connection each')[0]).toBe(10);
    },
    100_000,
  );

  it('a short run of topic-memory.js has the memory of a topic', async () => {
    const small = ['--topics', '2000', '--connections', '20', '--rounds', '1', '--wait', '1'];
    const text = await printed('topic-memory.js', ...small, '--peers', 'nestjs-live');
    expect(figuresOf(text, 'nestjs-live')[0]).toBeGreaterThan(100);
  }, 100_000);
});

describeWith(redisServer)('The benchmarks on Redis', () => {
  it('a short run of poll.js asks for each state once in an interval, and publishes only changes', async () => {
    const text = await printed('poll.js', '--clients', '60', '--topics', '6', '--seconds', '3');
    const [calls = 0, ...published] = figuresOf(text, 'nothing changes');
    expect(Math.abs(calls - 6)).toBeLessThanOrEqual(2);
    expect(published).toEqual([0, 0]);
    expect(figuresOf(text, 'one change of each topic').slice(1)).toEqual([6, 60]);
    expect(text).toContain('no calls from 1 s after the last client has left: met (0)');
  }, 100_000);
});
