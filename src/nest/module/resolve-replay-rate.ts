import type { ReplayRate } from '../../core/ports/limits.js';
import { wrongOption } from '../options/live.errors.js';
import type { ReplayRateOptions } from '../options/live.options.js';

const most = 1_000_000_000_000;

/** Fills in the defaults of `replayRate`. */
export function resolveReplayRate(given: ReplayRateOptions = {}): ReplayRate {
  const number = (name: keyof ReplayRate, fallback: number): number => {
    const value = given[name] ?? fallback;
    if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most) return value;
    throw wrongOption(`replayRate.${name}`, value, `an integer from 1 to ${String(most)}`);
  };
  return {
    bytesPerSecond: number('bytesPerSecond', 2_097_152),
    byteBurst: number('byteBurst', 33_554_432),
  };
}
