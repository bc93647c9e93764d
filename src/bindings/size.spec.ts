import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../test/support/bundled.js';

const maxBytes = 1_536;
const frameworks = ['react', 'vue', 'svelte', 'angular', 'rxjs'] as const;
const client = join(import.meta.dirname, '../client/index.ts');

const outside = /^(react|vue|rxjs|@angular)/;

describe('size of the bindings', () => {
  it.each(frameworks)(
    'the binding for %s adds at most 1.5 KiB to the client, compressed',
    async (framework) => {
      const alone = await bytesOf([client], outside);
      const file = join(import.meta.dirname, `${framework}.ts`);
      const bytes = (await bytesOf([client, file], outside)) - alone;
      console.log(`nestjs-live/${framework}: ${String(bytes)} bytes gzipped on top of ${String(alone)}`);
      expect(bytes).toBeLessThanOrEqual(maxBytes);
      // Guards against measuring an incomplete bundle.
      expect(bytes).toBeGreaterThan(200);
    },
  );
});
