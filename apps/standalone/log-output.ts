import { pino } from 'pino';

/** Standard output for the log: entries wait in memory while its reader is slow, and nothing waits for them. */
export type LogOutput = ReturnType<typeof pino.destination>;

const longestWaitMs = 1_000;

export function openLogOutput(): LogOutput {
  return pino.destination({ dest: 1, sync: false });
}

/** Resolves once every entry has been written, or nobody reads them. To be called last: it ends the output. */
export function endLogOutput(output: LogOutput): Promise<void> {
  return new Promise((resolve) => {
    // After EPIPE pino's own `end` does nothing any more, and tells nobody.
    const timer = setTimeout(resolve, longestWaitMs);
    output.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    output.end();
  });
}
