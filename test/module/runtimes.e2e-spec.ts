import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { describeWith, runtimes } from '../support/programs.js';

const library = pathToFileURL(resolve(import.meta.dirname, '../../dist/index.js')).href;
const script = resolve(import.meta.dirname, 'runtime-server.mjs');

async function start(command: string, ...options: string[]): Promise<string> {
  const before = command.endsWith('deno') ? ['run', '-A'] : [];
  const { stdout } = await promisify(execFile)(command, [...before, script, library, ...options], {
    timeout: 50_000,
  });
  return stdout;
}

for (const program of runtimes) {
  const [command] = program.check;
  describeWith(program)(`The server in ${program.name}`, () => {
    if (program.name === 'Bun') {
      it('the server refuses to start on Bun, and starts with a warning with dangerouslyAllowBun', async () => {
        expect(await start(command)).toContain('the server does not start on Bun');
        const allowed = await start(command, 'dangerouslyAllowBun');
        expect(allowed).toContain('started');
        expect(allowed).toContain('dangerouslyAllowBun: ');
      }, 60_000);
    } else {
      it('the server starts, and says if it is not tested on this runtime', async () => {
        const said = await start(command);
        expect(said).toContain('started');
        expect(said.includes('The server is tested on Node')).toBe(program.name === 'Deno');
      }, 60_000);
    }
  });
}
