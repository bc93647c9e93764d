import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TopicPattern } from './topic-pattern.js';

describe('TopicPattern', () => {
  it.each([
    ['fleet/7', 'fleet/7', {}],
    ['fleet/:fleetId', 'fleet/7', { fleetId: '7' }],
    ['fleet/:fleetId/bus/:busId', 'fleet/7/bus/x.1~a_b-c', { fleetId: '7', busId: 'x.1~a_b-c' }],
    [':all', 'fleet', { all: 'fleet' }],
    ['chat/*', 'chat/7', {}],
    ['*/:id', 'chat/7', { id: '7' }],
    ['logs/**', 'logs/a', {}],
    ['logs/**', 'logs/a/b/c', {}],
    ['logs/:day/**', 'logs/1/a/b', { day: '1' }],
    ['**', 'anything/at/all', {}],
  ])('%s takes %s', (pattern, topic, params) => {
    expect({ ...new TopicPattern(pattern).match(topic) }).toEqual(params);
  });

  it.each([
    ['fleet/7', 'fleet/8'],
    ['fleet/7', 'fleet'],
    ['fleet/7', 'fleet/7/8'],
    ['fleet/:id', 'fleet'],
    ['fleet/:id', 'fleet/7/8'],
    ['chat/*', 'chat'],
    ['chat/*', 'chat/7/8'],
    ['logs/**', 'logs'],
    ['logs/**', 'log/a'],
    ['logs/:day/**', 'logs/1'],
    ['Fleet', 'fleet'],
    ['a.b', 'axb'],
  ])('%s does not take %s', (pattern, topic) => {
    expect(new TopicPattern(pattern).match(topic)).toBeUndefined();
  });

  it('parameters have no prototype for a topic to reach', () => {
    const params = new TopicPattern('x/:__proto__/:constructor').match('x/a/b');
    expect(Object.getPrototypeOf(params)).toBeNull();
    expect(Object.entries(params ?? {})).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]);
  });

  it.each([
    ['', '"" is no segment'],
    ['/fleet', '"" is no segment'],
    ['fleet/', '"" is no segment'],
    ['fleet//7', '"" is no segment'],
    ['fleet/{id}', '"{id}" is no segment'],
    ['fleet/a b', '"a b" is no segment'],
    ['fleet/:', '":" is no segment'],
    ['fleet/:7', '":7" is no segment'],
    ['fleet/:id?', '":id?" is no segment'],
    ['fleet/7*', '"7*" is no segment'],
    ['fleet/***', '"***" is no segment'],
    ['.', '"." is no segment'],
    ['fleet/..', '".." is no segment'],
    ['./:id', '"." is no segment'],
    ['**/7', '** is only for the end'],
    [':id/:id', ':id is there twice'],
  ])('%j is no pattern, and the error shows what one is', (pattern, reason) => {
    expect(() => new TopicPattern(pattern)).toThrow(
      `LiveModule: '${pattern}' is no topic pattern: ${reason}. Examples: 'fleet/:fleetId', 'chat/*', 'logs/**'.`,
    );
  });

  it.each([
    ['a/:x', 'a/:y', true],
    ['a/:x/**', 'a/:y/**', true],
    ['a/:x', 'a/*', false],
    ['a/*', 'a/**', false],
    ['a/b', 'a/:b', false],
  ])('%s and %s are of the same form: %j', (one, other, same) => {
    expect(new TopicPattern(one).form === new TopicPattern(other).form).toBe(same);
  });
});

/** Patterns and topics over so few words that they often meet. */
const segment = fc.constantFrom('a', 'b', ':p', '*');
const patterns = fc
  .uniqueArray(
    fc
      .tuple(fc.array(segment, { maxLength: 3 }), fc.constantFrom('', '**', 'a', ':q'))
      .map(([start, end]) => (end === '' ? start : [...start, end]))
      .filter((segments) => segments.length > 0 && segments.filter((one) => one === ':p').length < 2)
      .map((segments) => segments.join('/')),
    { maxLength: 8, selector: (text) => new TopicPattern(text).form },
  )
  .map((texts) => texts.map((text) => new TopicPattern(text)));
const topics = fc
  .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join('/'));

/** The same rules, written as differently as they can be. */
const naive = {
  matches: ({ text }: TopicPattern, topic: string): boolean =>
    new RegExp(
      `^${text
        .replaceAll('**', '.+')
        .replaceAll(/(?<![.+])\*/g, '[^/]+')
        .replaceAll(/:\w+/g, '[^/]+')}$`,
    ).test(topic),
  /** One digit a segment: the smaller text is the more specific pattern. */
  rank: ({ text }: TopicPattern): string =>
    text
      .split('/')
      .map((part) => (part === '**' ? '3' : part === '*' ? '2' : part.startsWith(':') ? '1' : '0'))
      .join(''),
};

describe('TopicPattern, beside a naive model', () => {
  it('takes the same topics', () => {
    fc.assert(
      fc.property(patterns, topics, (all, topic) => {
        for (const pattern of all) {
          expect([pattern.text, pattern.match(topic) !== undefined]).toEqual([
            pattern.text,
            naive.matches(pattern, topic),
          ]);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('the most specific of those that take a topic comes first, whatever the order of declaration', () => {
    let met = 0;
    fc.assert(
      fc.property(patterns, topics, (all, topic) => {
        const matching = all.filter((pattern) => naive.matches(pattern, topic));
        const [expected] = matching.toSorted((one, other) => (naive.rank(one) < naive.rank(other) ? -1 : 1));
        const sorted = all.toSorted((one, other) => TopicPattern.compare(one, other));
        const found = sorted.find((pattern) => pattern.match(topic) !== undefined);
        expect(found?.text).toBe(expected?.text);
        if (matching.length > 1) met += 1;
      }),
      { numRuns: 2_000 },
    );
    // Otherwise nothing was shown.
    expect(met).toBeGreaterThan(200);
  });
});
