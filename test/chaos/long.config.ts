import { defineConfig } from 'vitest/config';

/** The long form, which `npm run chaos` starts. */
export default defineConfig({
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  test: {
    include: ['test/chaos/long.ts'],
    setupFiles: ['test/support/setup.ts'],
    testTimeout: 3_600_000,
    disableConsoleIntercept: true,
  },
});
