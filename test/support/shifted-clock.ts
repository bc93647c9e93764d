import type { TestingModuleBuilder } from '@nestjs/testing';
import { LIVE_CLOCK } from '../../src/nest/options/live.tokens.js';
import { SystemClock } from '../../src/clock/system-clock.js';

/** The real time, which a test can shift, and a random number that it can fix. */
export class ShiftedClock extends SystemClock {
  shiftMs = 0;
  chance: number | undefined;

  override now(): number {
    return super.now() + this.shiftMs;
  }

  override wallMs(): number {
    return super.wallMs() + this.shiftMs;
  }

  override random(): number {
    return this.chance ?? super.random();
  }

  /** For `startLiveApp({ override: clock.install })`. */
  readonly install = (builder: TestingModuleBuilder): TestingModuleBuilder =>
    builder.overrideProvider(LIVE_CLOCK).useValue(this);
}
