import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bundled } from '../../test/support/bundled.js';

/** Bytes of everything, and of a client that only reads. */
const maxBytes = { all: 11_290, reader: 7_645 };

const index = join(import.meta.dirname, 'index.ts');

/** Bundles everything that a browser would load of these exports. */
async function bundle(
  what: string,
): Promise<{ readonly code: string; readonly modules: readonly string[]; readonly bytes: number }> {
  const { chunk, bytes } = await bundled(`export ${what} from ${JSON.stringify(index)};`);
  const { code, moduleIds, imports, dynamicImports } = chunk;
  expect([...imports, ...dynamicImports], 'the bundle imports nothing').toEqual([]);
  console.log(
    `${what} of nestjs-live/client: ${String(bytes)} bytes gzipped, ${String(code.length)} minified`,
  );
  return { code, modules: moduleIds, bytes };
}

describe('size of the client', () => {
  it('the client with everything is at most 11,290 bytes, minified and compressed', async () => {
    const { code, modules, bytes } = await bundle('*');
    expect(bytes).toBeLessThanOrEqual(maxBytes.all);
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
      'LiveReader',
      'collection',
      'connect',
      'connectReader',
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

  it('a page that only subscribes loads at most 7,645 bytes, and nothing of publications', async () => {
    const { modules, bytes } = await bundle('{ connectReader }');
    expect(bytes).toBeLessThanOrEqual(maxBytes.reader);
    expect(
      modules.filter((file) => /\/client\/(client-link|client-topic|wire)\.ts$/.test(file)),
    ).toHaveLength(3);
    const others =
      /\/client\/(requests|pending|inbox|live-client|view|collection|live-state|refresher|pages)\.ts$/;
    expect(modules.filter((file) => others.test(file))).toEqual([]);
  });
});
