import { join } from 'node:path';
import { expect, it } from 'vitest';
import { bytesOf } from '../../test/support/bundled.js';

const client = join(import.meta.dirname, '../client/index.ts');
const tabs = join(import.meta.dirname, 'shared.ts');

it('one connection for all tabs adds at most 3,110 bytes to the client, compressed', async () => {
  const bytes = (await bytesOf([client, tabs])) - (await bytesOf([client]));
  console.log(`nestjs-live/tabs: ${String(bytes)} bytes gzipped on top of the client`);
  expect(bytes).toBeLessThanOrEqual(3_110);
  // Guards against measuring an incomplete bundle.
  expect(bytes).toBeGreaterThan(1_000);
});
