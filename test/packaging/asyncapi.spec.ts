import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

/** Prints what AsyncAPI's own parser finds in a document. */
const check = `
import { readFileSync } from 'node:fs';
import { Parser } from '@asyncapi/parser';
const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], 'utf8'));
const found = diagnostics.map(({ severity, code, path, message }) => ({ severity, code, path: path.join('.'), message }));
console.log(JSON.stringify({ parsed: document !== undefined, found }));
`;

describe('The AsyncAPI document, read by the parser of AsyncAPI', () => {
  const folder = mkdtempSync(join(tmpdir(), 'asyncapi-'));

  beforeAll(async () => {
    writeFileSync(join(folder, 'check.mjs'), check);
    writeFileSync(join(folder, 'package.json'), '{ "private": true }');
    const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
    await run('npm', ['install', '@asyncapi/parser@3.6.6', ...quiet], { cwd: folder });
  }, 300_000);

  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(['test/module/asyncapi.json', 'the standalone server'])(
    'the parser has no complaint about %s',
    async (name) => {
      const file = join(folder, 'document.json');
      if (name.endsWith('.json')) cpSync(join(root, name), file);
      else {
        const printed = await run(process.execPath, [join(root, 'dist/main.js'), 'asyncapi']);
        writeFileSync(file, printed.stdout);
      }
      const { stdout } = await run(process.execPath, ['check.mjs', file], { cwd: folder });
      expect(JSON.parse(stdout)).toEqual({ parsed: true, found: [] });
    },
    60_000,
  );
});
