import { defineConfig } from 'vitest/config';

/** The long forms. `npm run chaos` starts one of them. */
export default defineConfig({
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  test: {
    include: ['test/chaos/long.*.ts'],
    exclude: ['test/chaos/long.config.ts'],
    setupFiles: ['test/support/setup.ts'],
    testTimeout: 3_600_000,
    disableConsoleIntercept: true,
  },
});
