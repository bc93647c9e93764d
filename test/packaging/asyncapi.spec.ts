import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MessageBody } from '@nestjs/websockets';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { LiveHandlers, LiveRequest, LiveTopic } from '../../src/index.js';
import { LiveAsyncApi, LiveAsyncApiModule } from '../../src/nest/asyncapi/index.js';
import { startLiveApp } from '../support/live-app.js';
import { describeWith, npmRegistry, pythonGenerated, runsWith } from '../support/programs.js';

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

const state = z.enum(['moving', 'standing']);

@LiveTopic('fleet/:fleetId', {
  data: z.object({ lat: z.number(), lon: z.number(), state }),
  snapshot: 'last-per-key',
})
class FleetTopic {
  canSubscribe(): boolean {
    return true;
  }
}

@LiveHandlers()
class Trips {
  @LiveRequest('trip.book', {
    data: z.object({ seat: z.int() }),
    answer: z.object({ ticket: z.string() }),
  })
  book(@MessageBody('data') { seat }: { readonly seat: number }) {
    return { ticket: `seat ${String(seat)}` };
  }
}

describeWith(npmRegistry)('The AsyncAPI document, read by the tools of AsyncAPI', () => {
  const folder = mkdtempSync(join(tmpdir(), 'asyncapi-'));

  beforeAll(async () => {
    writeFileSync(join(folder, 'check.mjs'), check);
    writeFileSync(join(folder, 'package.json'), '{ "private": true }');
    const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
    // The generator is large, so it is only installed where its Python client can run.
    const generator = ['@asyncapi/generator@3.4.1', '@asyncapi/modelina@5.10.1'];
    const packages = ['@asyncapi/parser@3.6.6', ...(runsWith(pythonGenerated) ? generator : [])];
    await run('npm', ['install', ...packages, ...quiet], { cwd: folder });
  }, 300_000);

  afterAll(() => rmSync(folder, { recursive: true }), 60_000);

  it.each(['test/module/asyncapi.json', 'the standalone server', 'its clients'])(
    'the parser has no complaint about %s',
    async (name) => {
      const file = join(folder, 'document.json');
      if (name.endsWith('.json')) cpSync(join(root, name), file);
      else {
        const printed = await run(process.execPath, [
          join(root, 'dist/main.js'),
          'asyncapi',
          ...(name === 'its clients' ? ['--client'] : []),
        ]);
        writeFileSync(file, printed.stdout);
      }
      const { stdout } = await run(process.execPath, ['check.mjs', file], { cwd: folder });
      const { parsed, found } = JSON.parse(stdout) as { parsed: boolean; found: { code: string }[] };
      // Modelina reads 3.0 only, so the document for generators is of that version.
      const version = name === 'its clients' ? ['asyncapi-latest-version'] : [];
      expect([parsed, found.map(({ code }) => code)]).toEqual([true, version]);
    },
    60_000,
  );

  it.runIf(runsWith(pythonGenerated))(
    'a Python client that is generated from the document hears publications and gets answers',
    async () => {
      const imports = [LiveAsyncApiModule.forRoot({ info: { title: 'Fleet & friends', version: '1.0.0' } })];
      const { app, live, url } = await startLiveApp({ providers: [FleetTopic, Trips], imports });
      const file = join(folder, 'client.json');
      writeFileSync(file, JSON.stringify(await app.get(LiveAsyncApi).document('client')));
      cpSync(join(import.meta.dirname, 'generated'), folder, { recursive: true });
      const made = join(folder, 'python');
      await run(process.execPath, ['generate.mjs', file, made], { cwd: folder });
      await run('/usr/bin/python3', ['-m', 'compileall', '-q', made]);

      const client = spawn('/usr/bin/python3', [join(folder, 'use_client.py'), url, 'ann'], {
        env: { ...process.env, PYTHONPATH: made },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let output = '';
      const ended = once(client, 'close');
      client.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
      client.stdout.on('data', (chunk: Buffer) => {
        const before = output;
        output += chunk.toString();
        if (output.includes('> subscribed') && !before.includes('> subscribed'))
          void live.publish('fleet/7', { lat: 59.9, lon: 10.7, state: 'moving' }, { key: 'bus 1' });
      });
      await ended;
      const said = output.split('\n').filter((line) => line.startsWith('> '));
      expect(said, output).toEqual([
        '> welcome 36',
        '> booked seat 7',
        '> subscribed fleet/7 0',
        '> event 1 bus 1 59.9 10.7 moving',
      ]);
    },
    90_000,
  );
});
