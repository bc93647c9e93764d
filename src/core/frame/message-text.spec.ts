import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { welcomeTexts } from './message-text.js';

describe('welcomeTexts', () => {
  it('[L-1.11] is the JSON of the message, field by field in its order', () => {
    const any = fc.string({ unit: 'binary' });
    const answers = fc.record({
      connectionId: any,
      userId: fc.option(any, { nil: undefined }),
      expiresAt: fc.option(fc.maxSafeInteger(), { nil: undefined }),
    });
    const limits = { maxMessageBytes: 65_536, maxTopics: 100, pingIntervalMs: 25_000 };
    fc.assert(
      fc.property(any, answers, (instanceId, answer) => {
        const { connectionId, userId, expiresAt } = answer;
        const user = userId === undefined ? null : { id: userId };
        const message = { type: 'welcome', connectionId, instanceId, user, expiresAt, limits };
        expect(welcomeTexts(instanceId, limits)(answer)).toBe(JSON.stringify(message));
      }),
    );
  });
});
