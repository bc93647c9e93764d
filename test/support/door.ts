import { describe, it } from 'vitest';

/**
 * Whether the test clients of this run use event streams and `POST` instead of WebSockets: the
 * project `streams` repeats the tests of rules that hold on both doors.
 */
export const onStreams = process.env['TEST_DOOR'] === 'streams';

/** Registers nothing. */
const none = Object.assign(() => {}, { each: () => () => {} });

/** A test of a rule that only WebSockets have, or of bytes that only a WebSocket carries. */
export const itOnSockets = onStreams ? (none as unknown as typeof it) : it;
/** Tests of rules that only WebSockets have, or of bytes that only a WebSocket carries. */
export const describeOnSockets = onStreams ? (none as unknown as typeof describe) : describe;
