import { inspect, type InspectOptions } from 'node:util';

/**
 * A log entry with fields. Structured loggers, such as nestjs-pino or Nest's own with `json: true`,
 * read its properties. Nest's text logger prints a plain object on one line per property, but this
 * class on a single line.
 */
class LogEntry {
  constructor(fields: object) {
    Object.assign(this, fields);
  }

  /**
   * `depth` equals `options.depth` only if the entry itself is printed, not an object around it.
   */
  [inspect.custom](depth: number, options: InspectOptions): unknown {
    if (depth !== options.depth) return { ...this };
    const { msg, err, ...fields } = this as { msg?: string; err?: unknown };
    const texts = Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => ` ${name}=${textOf(value)}`);
    return `${msg ?? ''}${texts.join('')}${err === undefined ? '' : `\n${inspect(err)}`}`;
  }
}

/** Writes text without spaces or quotes unchanged, and everything else as JSON. */
function textOf(value: unknown): string {
  return typeof value === 'string' && /^[^\s"]+$/.test(value) ? value : JSON.stringify(value);
}

export function logEntry(fields: { readonly msg: string; readonly [name: string]: unknown }): object {
  return new LogEntry(fields);
}
