import type { ReplayRate } from '../../core/ports/limits.js';
import { integerOption } from '../options/option-checks.js';
import type { ReplayRateOptions } from '../options/live-rate.options.js';

const most = 1_000_000_000_000;

/** Fills in the defaults of `replayRate`. */
export function resolveReplayRate(given: ReplayRateOptions = {}): ReplayRate {
  const number = (name: keyof ReplayRate, fallback: number): number =>
    integerOption(`replayRate.${name}`, given[name], { fallback, least: 1, most });
  return {
    bytesPerSecond: number('bytesPerSecond', 2_097_152),
    byteBurst: number('byteBurst', 33_554_432),
  };
}
