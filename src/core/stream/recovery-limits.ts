import { holdLimits } from '../fanout/hold.js';
import type { RecoveryLimits } from '../ports/broker.js';

/** How much one recovery sends at most; more counts as unrecoverable. [L-5.4] */
export const recoveryLimits: RecoveryLimits = { count: 300, bytes: 1_048_576 };

/** How much is read to heal a topic: as much as a recovery may send, and as much again as may have come meanwhile. */
export const healingLimits: RecoveryLimits = {
  count: recoveryLimits.count + holdLimits.count,
  bytes: recoveryLimits.bytes + holdLimits.bytes,
};
