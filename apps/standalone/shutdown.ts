import { constants } from 'node:os';

/** npm forwards a signal to a process that already got it from the terminal. */
const npmEchoMs = 200;
/** Extra time after the stop should have ended. */
const graceMs = 5_000;

const signals = ['SIGTERM', 'SIGINT'] as const;

/**
 * Calls `stop` at the first SIGTERM or SIGINT. Exits with 0 after it resolved and with 1 after it
 * failed. A second signal ends the process at once, with the shell's exit code for that signal.
 */
export function stopOnSignals(stop: () => Promise<void>, stopTimeoutMs: number): void {
  let askedAtMs: number | undefined;
  for (const signal of signals) {
    process.on(signal, () => {
      if (askedAtMs === undefined) {
        askedAtMs = performance.now();
        void exitAfter(stop, stopTimeoutMs);
        return;
      }
      const underNpm = process.env['npm_lifecycle_event'] !== undefined;
      if (underNpm && performance.now() - askedAtMs < npmEchoMs) return;
      process.exit(128 + constants.signals[signal]);
    });
  }
}

async function exitAfter(stop: () => Promise<void>, stopTimeoutMs: number): Promise<void> {
  setTimeout(() => fail('It took too long.'), stopTimeoutMs + graceMs).unref();
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
