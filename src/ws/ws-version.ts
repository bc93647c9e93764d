import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { WebSocketServer } from 'ws';

/**
 * The version of the loaded `ws`; `undefined` where it is no package of its own, as in a bundle or
 * under Jest. It is found by identity, because `import.meta.url` does not survive a transform to
 * CommonJS.
 */
export function versionOfWs(): string | undefined {
  const { cache } = createRequire(join(process.cwd(), 'any.js'));
  const loaded = Object.values(cache).find((module) => module?.exports === WebSocketServer);
  if (loaded === undefined) return undefined;
  const manifest = readFileSync(join(dirname(loaded.filename), '../package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
