import type { Reporter, TestModule } from 'vitest/node';

const listed = 12;

/**
 * Ends the run with the slowest files in seconds and one plain line,
 * `N passed, N failed, N skipped`, for people and scripts.
 */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0 };
    for (const module of modules) {
      count.failed += module.errors().length;
      for (const suite of module.children.allSuites()) count.failed += suite.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        count[state === 'pending' ? 'skipped' : state] += 1;
      }
    }
    const slowest = modules
      .map((module) => ({ file: module.relativeModuleId, seconds: module.diagnostic().duration / 1_000 }))
      .filter(({ seconds }) => seconds >= 1)
      .toSorted((a, b) => b.seconds - a.seconds)
      .slice(0, listed)
      .map(({ file, seconds }) => `${seconds.toFixed(0).padStart(6)} s  ${file}\n`);
    // Runs after the default reporter, which prints its own summary in the same turn.
    process.once('exit', () => {
      process.stdout.write(
        `\n${slowest.join('')}\n${String(count.passed)} passed, ${String(count.failed)} failed, ${String(count.skipped)} skipped\n`,
      );
    });
  }
}
