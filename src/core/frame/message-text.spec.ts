import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { welcomeTexts } from './message-text.js';

describe('welcomeTexts', () => {
  it('[L-1.11] the welcome text equals JSON.stringify of the message', () => {
    const any = fc.string({ unit: 'binary' });
    const answers = fc.record({
      connectionId: any,
      userId: fc.option(any, { nil: undefined }),
      expiresAt: fc.option(fc.maxSafeInteger(), { nil: undefined }),
      inMs: fc.nat(),
      reconnectSpreadMs: fc.nat(),
    });
    const limits = { maxMessageBytes: 65_536, maxTopics: 100, pingIntervalMs: 25_000 };
    fc.assert(
      fc.property(any, answers, (instanceId, { inMs, ...answer }) => {
        const { connectionId, userId, expiresAt, reconnectSpreadMs } = answer;
        const expiresInMs = expiresAt === undefined ? undefined : inMs;
        const user = userId === undefined ? null : { id: userId };
        const place = { type: 'welcome', connectionId, instanceId, user };
        const message = { ...place, expiresAt, expiresInMs, reconnectSpreadMs, limits };
        expect(welcomeTexts(instanceId, limits)({ ...answer, expiresInMs })).toBe(JSON.stringify(message));
      }),
    );
  });
});
