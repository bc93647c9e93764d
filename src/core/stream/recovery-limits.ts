import type { RecoveryLimits } from '../ports/broker.js';

/** How much one recovery sends at most; more counts as unrecoverable. [L-5.4] */
export const recoveryLimits: RecoveryLimits = { count: 300, bytes: 1_048_576 };
