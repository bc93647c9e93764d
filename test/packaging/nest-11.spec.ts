import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { describeWith } from '../support/programs.js';

const matrix = resolve(import.meta.dirname, '../matrix/run.mjs');

/** It takes a minute, so it runs only where `CI` is set, as in .ci/run. */
const installation = {
  name: 'an installation of Nest 11',
  check: ['sh', '-c', 'test "$CI"'],
  install: 'npm run matrix -- --quick',
} as const;

describeWith(installation)('The packed tarball on Nest 11', () => {
  it('the short form of npm run matrix passes: CommonJS, Jest, TypeScript 5.9 and 7, the newest Node', async () => {
    // It rejects with the lines that failed.
    const { stdout } = await promisify(execFile)(process.execPath, [matrix, '--quick'], {
      maxBuffer: 2 ** 24,
    }).catch((error: unknown) => error as { stdout: string });
    expect(stdout).not.toContain('FAIL');
    expect(stdout).toContain('ok    The command');
  }, 480_000);
});
