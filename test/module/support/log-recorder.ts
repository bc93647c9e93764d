import type { INestApplication, LoggerService } from '@nestjs/common';

export interface LogEntry {
  readonly level: 'log' | 'warn' | 'error' | 'debug';
  readonly context: unknown;
  readonly message: unknown;
}

/** Records what is logged: `startLiveApp({ before: log.use })`. */
export class LogRecorder implements LoggerService {
  readonly entries: LogEntry[] = [];

  readonly use = (app: INestApplication): void => app.useLogger(this);

  log(message: unknown, ...rest: unknown[]): void {
    this.add('log', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.add('warn', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.add('error', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.add('debug', message, rest);
  }

  /** The messages that the live server logged at this level. */
  live(level: LogEntry['level']): unknown[] {
    return this.entries
      .filter((entry) => entry.context === 'Live' && entry.level === level)
      .map(({ message }) => message);
  }

  private add(level: LogEntry['level'], message: unknown, rest: readonly unknown[]): void {
    this.entries.push({ level, context: rest.at(-1), message });
  }
}
