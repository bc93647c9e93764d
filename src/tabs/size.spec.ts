import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { expect, it } from 'vitest';

const client = join(import.meta.dirname, '../client/index.ts');
const tabs = join(import.meta.dirname, 'shared.ts');

/** Size of everything that these modules load, minified and compressed. */
async function bytesOf(...modules: readonly string[]): Promise<number> {
  const entry = modules.map((file) => `export * from ${JSON.stringify(file)};`).join('');
  const build = await rolldown({
    input: 'entry',
    platform: 'browser',
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === 'entry' ? id : undefined),
        load: (id) => (id === 'entry' ? entry : undefined),
      },
    ],
  });
  const { output } = await build.generate({ format: 'esm', minify: true });
  await build.close();
  return gzipSync(output[0].code, { level: 9 }).length;
}

it('one connection for all tabs adds at most 3.2 KiB to the client, compressed', async () => {
  const bytes = (await bytesOf(client, tabs)) - (await bytesOf(client));
  console.log(`nestjs-live/tabs: ${String(bytes)} bytes gzipped on top of the client`);
  expect(bytes).toBeLessThanOrEqual(3.2 * 1024);
  // Guards against measuring an incomplete bundle.
  expect(bytes).toBeGreaterThan(1_000);
});
