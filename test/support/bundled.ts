import { gzipSync } from 'node:zlib';
import { type OutputChunk, rolldown } from 'rolldown';
import { expect } from 'vitest';

export interface Bundled {
  readonly chunk: OutputChunk;
  /** Minified and compressed. */
  readonly bytes: number;
}

/** Bundles what a browser would load of a module with this source, but not what is `external`. */
export async function bundled(source: string, external: RegExp = /^$/): Promise<Bundled> {
  const build = await rolldown({
    input: 'page',
    external: (name) => external.test(name),
    platform: 'browser',
    plugins: [
      {
        name: 'page',
        resolveId: (id) => (id === 'page' ? id : undefined),
        load: (id) => (id === 'page' ? source : undefined),
      },
    ],
  });
  const { output } = await build.generate({ format: 'esm', minify: true, comments: false });
  await build.close();
  expect(output, 'the bundle is one file').toHaveLength(1);
  const [chunk] = output;
  return { chunk, bytes: gzipSync(chunk.code, { level: 9 }).length };
}

/** Size of all exports of these files together. */
export async function bytesOf(files: readonly string[], external?: RegExp): Promise<number> {
  const source = files.map((file) => `export * from ${JSON.stringify(file)};`).join('');
  return (await bundled(source, external)).bytes;
}
