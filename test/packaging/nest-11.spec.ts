import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { describeWith } from '../support/programs.js';

const matrix = resolve(import.meta.dirname, '../matrix/run.mjs');

const registry = {
  name: 'the npm registry',
  check: ['npm', 'view', '@nestjs/core@11.0.1', 'version', '--prefer-offline', '--fetch-retries=0'],
  install: 'connect to a registry (npm config set registry)',
} as const;

describeWith(registry)('The packed tarball on Nest 11', () => {
  it('the short form of npm run matrix passes: CommonJS, Jest, TypeScript 5.9 and 7, the newest Node', async () => {
    // It rejects with the lines that failed.
    const { stdout } = await promisify(execFile)(process.execPath, [matrix, '--quick'], {
      maxBuffer: 2 ** 24,
    }).catch((error: unknown) => error as { stdout: string });
    expect(stdout).not.toContain('FAIL');
    expect(stdout).toContain('ok    The command');
  }, 480_000);
});
