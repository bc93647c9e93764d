import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { describe, expect, it } from 'vitest';

const maxBytes = 10.55 * 1024;

/** Bundles everything that a browser would load. */
async function bundle(): Promise<{ readonly code: string; readonly modules: readonly string[] }> {
  const build = await rolldown({ input: join(import.meta.dirname, 'index.ts'), platform: 'browser' });
  const { output } = await build.generate({ format: 'esm', minify: true });
  await build.close();
  expect(output, 'the bundle is one file').toHaveLength(1);
  const [{ code, moduleIds, imports, dynamicImports }] = output;
  expect([...imports, ...dynamicImports], 'the bundle imports nothing').toEqual([]);
  return { code, modules: moduleIds };
}

describe('size of the client', () => {
  it('the client is at most 10.55 KiB, minified and compressed', async () => {
    const { code, modules } = await bundle();
    const bytes = gzipSync(code, { level: 9 }).length;
    console.log(`nestjs-live/client: ${String(bytes)} bytes gzipped, ${String(code.length)} minified`);
    expect(bytes).toBeLessThanOrEqual(maxBytes);
    // Guards against measuring an incomplete or broken bundle.
    expect(
      modules.filter((file) =>
        /\/client\/(client-link|client-topic|requests|refresher|inbox|wire)\.ts$/.test(file),
      ),
    ).toHaveLength(6);
    const loaded = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as Record<
      string,
      unknown
    >;
    expect(Object.keys(loaded).toSorted()).toEqual([
      'LiveClient',
      'LiveClientError',
      'LiveError',
      'collection',
      'connect',
      'state',
    ]);
    const dialled: unknown[] = [];
    class Socket {
      constructor(...given: readonly unknown[]) {
        dialled.push(...given);
      }
      addEventListener(): void {}
      send(): void {}
      close(): void {}
    }
    const connect = loaded['connect'] as (
      url: string,
      options: object,
    ) => { reconnect(): void; close(): void };
    const client = connect('https://live.test/live', { webSocket: Socket, credential: 'T' });
    client.reconnect();
    await new Promise((resolve) => setImmediate(resolve));
    client.close();
    expect(dialled).toEqual(['wss://live.test/live', ['live.v1', 'bearer.T']]);
  });
});
