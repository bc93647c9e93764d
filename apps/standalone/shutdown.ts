import { constants } from 'node:os';

/** npm hands a signal on to a process that the terminal has sent it to already. */
const npmEchoMs = 200;
/** After the drain's own deadline. */
const graceMs = 5_000;

const signals = ['SIGTERM', 'SIGINT'] as const;

/**
 * Calls `stop` at the first SIGTERM or SIGINT and exits 0 when it has ended, 1 when it failed. A second signal ends the
 * process at once, with the code that the signal has in a shell.
 */
export function stopOnSignals(stop: () => Promise<void>, drainTimeoutMs: number): void {
  let askedAtMs: number | undefined;
  for (const signal of signals) {
    process.on(signal, () => {
      if (askedAtMs === undefined) {
        askedAtMs = performance.now();
        void exitAfter(stop, drainTimeoutMs);
        return;
      }
      const underNpm = process.env['npm_lifecycle_event'] !== undefined;
      if (underNpm && performance.now() - askedAtMs < npmEchoMs) return;
      process.exit(128 + constants.signals[signal]);
    });
  }
}

async function exitAfter(stop: () => Promise<void>, drainTimeoutMs: number): Promise<void> {
  setTimeout(() => fail('It did not stop in time.'), drainTimeoutMs + graceMs).unref();
  try {
    await stop();
    process.exit(0);
  } catch (error) {
    fail(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
}

function fail(words: string): never {
  process.stderr.write(`nestjs-live: stopping failed. ${words}\n`);
  process.exit(1);
}
