import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { describe, expect, it } from 'vitest';

const maxBytes = 1_536;
const frameworks = ['react', 'vue', 'svelte', 'angular', 'rxjs'] as const;
const client = join(import.meta.dirname, '../client/index.ts');

/** Size of everything that these modules load, minified and compressed, without the frameworks. */
async function bytesOf(...modules: readonly string[]): Promise<number> {
  const entry = modules.map((file) => `export * from ${JSON.stringify(file)};`).join('');
  const build = await rolldown({
    input: 'entry',
    external: (name) => /^(react|vue|rxjs|@angular)/.test(name),
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
  expect(output, 'the bundle is one file').toHaveLength(1);
  return gzipSync(output[0].code, { level: 9 }).length;
}

describe('size of the bindings', () => {
  it.each(frameworks)(
    'the binding for %s adds at most 1.5 KiB to the client, compressed',
    async (framework) => {
      const alone = await bytesOf(client);
      const file = join(import.meta.dirname, `${framework}.ts`);
      const bytes = (await bytesOf(client, file)) - alone;
      console.log(`nestjs-live/${framework}: ${String(bytes)} bytes gzipped on top of ${String(alone)}`);
      expect(bytes).toBeLessThanOrEqual(maxBytes);
      // Guards against measuring an incomplete bundle.
      expect(bytes).toBeGreaterThan(200);
    },
  );
});
