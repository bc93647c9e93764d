import { rateRange } from '../../protocol/fields.js';

/** Steps per power of ten. Few, so that the rates requested by clients form few groups. */
const steps = [8, 6, 5, 4, 3, 2, 1] as const;

/** Rounds a requested rate down to 1, 2, 3, 4, 5, 6 or 8 times a power of ten. */
export function steppedRate(rate: number): number {
  for (let power = 3; power >= -2; power--) {
    for (const step of steps) {
      const candidate = Number(`${String(step)}e${String(power)}`);
      if (candidate <= rate) return candidate;
    }
  }
  return rateRange.min;
}

/** Frames per second for a subscriber: the stepped request, but at most what the topic allows. */
export function rateFor(asked: number | undefined, allowed: number | undefined): number | undefined {
  if (asked === undefined) return allowed;
  const stepped = steppedRate(asked);
  return allowed === undefined ? stepped : Math.min(stepped, allowed);
}
