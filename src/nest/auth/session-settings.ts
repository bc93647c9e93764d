import { optionError } from '../options/live.errors.js';
import { kindOf, numberOption, urlOption } from '../options/option-checks.js';
import type { SessionConnectionOptions } from '../options/session-connection.options.js';

/** Validated options of `SessionConnectionGuard`. */
export interface SessionSettings {
  readonly url: URL;
  readonly timeoutMs: number;
  readonly cacheMs: number;
}

/**
 * Validates `options.session`. Throws a start error that names the option, the kind of value and
 * the fix.
 */
export function sessionSettingsOf(options: SessionConnectionOptions | undefined): SessionSettings {
  if (typeof options !== 'object' || options === null) {
    throw optionError('session', `is ${kindOf(options)}`, 'SessionConnectionGuard needs { url }');
  }
  return {
    url: urlOption('session.url', options.url),
    timeoutMs: numberOption('session.timeoutMs', options.timeoutMs, {
      fallback: 2_000,
      least: 1,
      most: 60_000,
    }),
    // A cached positive answer outlives a sign-out by this time.
    cacheMs: numberOption('session.cacheMs', options.cacheMs, { fallback: 5_000, least: 0, most: 300_000 }),
  };
}
