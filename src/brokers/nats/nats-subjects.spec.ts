import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { thorough } from '../../../test/support/thorough.js';
import { NatsSubjects, tokenOf } from './nats-subjects.js';

/** The inverse, for this test only; production code never derives a topic from its subject. */
function topicOf(token: string): string {
  if (token === '%') return '';
  const parts = token.split(/(%u[\da-f]{4})/);
  return parts
    .map((part) =>
      part.startsWith('%u')
        ? String.fromCharCode(Number.parseInt(part.slice(2), 16))
        : decodeURIComponent(part),
    )
    .join('');
}

const anyTopic = fc.oneof(
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 12 })
    .map((codes) => String.fromCharCode(...codes)),
  fc.string({ unit: fc.constantFrom(...'ab%/.*>$ =u2Fd8\r\n'), maxLength: 12 }),
);

describe('tokenOf', () => {
  it('each topic has a token of its own, without characters that NATS interprets', () => {
    fc.assert(
      fc.property(anyTopic, (topic) => {
        const token = tokenOf(topic);
        expect(token).toMatch(/^[\w%-]+$/);
        expect(topicOf(token)).toBe(topic);
      }),
      { numRuns: thorough ? 20_000 : 2_000 },
    );
  });

  it('readable characters of a topic stay readable', () => {
    expect(['fleet/7', 'a.b', '$SYS', '*', '>', ''].map(tokenOf)).toEqual([
      'fleet%2F7',
      'a%2Eb',
      '%24SYS',
      '%2A',
      '%3E',
      '%',
    ]);
  });

  it('a topic too long for a line of the server is rejected, but no valid topic name is that long', () => {
    expect(tokenOf('ü/'.repeat(64)).length).toBeLessThan(2_000);
    expect(() => tokenOf('🚋'.repeat(200))).toThrow('too long');
  });
});

describe('NatsSubjects', () => {
  it('incarnationOf finds the random part of an own stream, and none in a foreign stream', () => {
    const subjects = new NatsSubjects('app.live');
    expect(subjects.incarnationOf(subjects.stored('0a1b'))).toBe('0a1b');
    for (const others of [[], ['app.live.in.>'], ['live.in.0a1b.*'], ['app.live.in.0a1b.more.*']])
      expect(subjects.incarnationOf(others)).toBeUndefined();
  });
});
