import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isTopicName, maxTopicLength } from './topic-name.js';

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.~-';

/** A deliberately naive implementation of the clause. */
function isTopicByTheBook(text: string): boolean {
  const segments = text.split('/');
  return (
    text.length <= 128 &&
    segments.every(
      (segment) =>
        segment.length > 0 &&
        segment !== '.' &&
        segment !== '..' &&
        [...segment].every((letter) => letters.includes(letter)),
    )
  );
}

const segment = fc
  .string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 20 })
  .filter((text) => text !== '.' && text !== '..');
const topic = fc.array(segment, { minLength: 1, maxLength: 6 }).map((segments) => segments.join('/'));
/** Mostly valid characters, so that each invalid one is tested on its own. */
const nearlyTopic = fc.string({
  unit: fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(...letters) },
    { weight: 4, arbitrary: fc.constantFrom('/', '/.', '/..', './', '../') },
    { weight: 1, arbitrary: fc.constantFrom('$', '*', ':', ' ', '\n', '\0', 'é', '％', '\u212a') },
  ),
  maxLength: 140,
});

describe('topic names', () => {
  it('[L-3.1] a topic name is segments of A-Za-z0-9_.~- joined by /', () => {
    fc.assert(fc.property(topic, (text) => isTopicName(text) === text.length <= 128));
  });

  it('[L-3.1] isTopicName accepts exactly the names that the clause allows', () => {
    fc.assert(
      fc.property(nearlyTopic, (text) => isTopicName(text) === isTopicByTheBook(text)),
      { numRuns: 2_000 },
    );
  });

  it('[L-3.1] a topic name has 1 to 128 characters', () => {
    expect([0, 1, 128, 129].map((length) => isTopicName('a'.repeat(length)))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(maxTopicLength).toBe(128);
  });

  it.each(['.', '..', './a', '../a', 'a/.', 'a/..', 'a/./b', 'a/../b', '%2e%2e', 'a/%2E./b'])(
    '[L-3.1] %s is not a topic name: no segment is . or .., and nothing is decoded',
    (text) => expect(isTopicName(text)).toBe(false),
  );

  it.each(['...', '.a', 'a.', '..a', 'a..', 'a/.../b', '.-', '~.', 'a.b/c..d'])(
    '[L-3.1] %s is a topic name: dots are allowed beside other characters, and so are three dots',
    (text) => expect(isTopicName(text)).toBe(true),
  );

  it('[L-3.1] a topic name is a string', () => {
    fc.assert(fc.property(fc.anything(), (value) => typeof value === 'string' || !isTopicName(value)));
    expect(isTopicName(['a'])).toBe(false);
  });
});
