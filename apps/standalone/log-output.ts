import { pino } from 'pino';

/**
 * Standard output for the log. Entries wait in memory while its reader is slow, and block nothing.
 */
export type LogOutput = ReturnType<typeof pino.destination>;

const longestWaitMs = 1_000;

export function openLogOutput(): LogOutput {
  return pino.destination({ dest: 1, sync: false });
}

/**
 * Resolves once every entry is written, or the reader is gone. Call it last: it ends the output.
 */
export function endLogOutput(output: LogOutput): Promise<void> {
  return new Promise((resolve) => {
    // After EPIPE, pino's own `end` silently does nothing.
    const timer = setTimeout(resolve, longestWaitMs);
    output.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    output.end();
  });
}
