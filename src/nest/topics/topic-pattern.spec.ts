import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PatternRelation, TopicPattern } from './topic-pattern.js';

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
  ])('the pattern %s matches %s', (pattern, topic, params) => {
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
  ])('the pattern %s does not match %s', (pattern, topic) => {
    expect(new TopicPattern(pattern).match(topic)).toBeUndefined();
  });

  it('the parameters have no prototype that a topic could reach', () => {
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
    ['$user', '"$user" is no segment'],
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
  ])('%j is not a pattern, and the error shows examples', (pattern, reason) => {
    expect(() => new TopicPattern(pattern)).toThrow(
      `LiveModule: '${pattern}' is no topic pattern: ${reason}. Examples: 'fleet/:fleetId', 'chat/*', 'logs/**'.`,
    );
  });

  it.each([
    ['a/:x', 'a/:y', 'equal'],
    ['a/:x/**', 'a/:y/**', 'equal'],
    ['a/:x', 'a/*', 'equal'],
    ['*/admin', ':tenant/:room', 'subset'],
    ['a/*/secret', 'a/:x/**', 'subset'],
    ['a/*', 'a/**', 'subset'],
    ['a/b/**', 'a/**', 'subset'],
    ['*/*/**', '*/**', 'subset'],
    ['**', ':x', 'superset'],
    ['a/b', 'a/:b', 'subset'],
    ['a/:x', ':y/b', 'overlap'],
    ['a/:x/**', ':y/b/**', 'overlap'],
    ['a/**', ':x/:y', 'overlap'],
    ['*/b/**', 'a/**', 'overlap'],
    ['*/b', 'a/**', 'overlap'],
    ['a/**', 'a', 'disjoint'],
    ['a/:x/**', 'a/:x', 'disjoint'],
    ['a/:x', 'b/:x', 'disjoint'],
    ['a/**', 'b/**', 'disjoint'],
  ] as const)('the topics of %s and of %s are related as %s', (one, other, relation) => {
    const opposite = { subset: 'superset', superset: 'subset' } as Readonly<Record<string, string>>;
    const [first, second] = [new TopicPattern(one), new TopicPattern(other)];
    expect(first.relationTo(second)).toBe(relation);
    expect(second.relationTo(first)).toBe(opposite[relation] ?? relation);
  });

  it.each([
    ['a/:x', ':y/b', 'a/b'],
    ['*/b/:z', 'a/**', 'a/b/any'],
    ['*/b/**', 'a/**', 'a/b/any'],
  ])('a topic of both %s and %s is %s', (one, other, example) => {
    expect(new TopicPattern(one).exampleWith(new TopicPattern(other))).toBe(example);
  });
});

/** Patterns and topics from so few words that they often match. */
const segment = fc.constantFrom('a', 'b', ':p', '*');
const pattern = fc
  .tuple(fc.array(segment, { maxLength: 3 }), fc.constantFrom('', '**', 'a', ':q'))
  .map(([start, end]) => (end === '' ? start : [...start, end]))
  .filter((segments) => segments.length > 0 && segments.filter((one) => one === ':p').length < 2)
  .map((segments) => new TopicPattern(segments.join('/')));
/**
 * `c` is in no pattern. Topics one segment longer than any pattern test what `**` matches beyond.
 */
const words = ['a', 'b', 'c'];
const topicsOfLength = (length: number): string[] =>
  length === 0
    ? ['']
    : topicsOfLength(length - 1).flatMap((start) => words.map((word) => (start ? `${start}/${word}` : word)));
const allTopics = [1, 2, 3, 4, 5].flatMap(topicsOfLength);

/** The same rules in a different implementation. */
const naive = {
  matches: ({ text }: TopicPattern, topic: string): boolean =>
    new RegExp(
      `^${text
        .replaceAll('**', '.+')
        .replaceAll(/(?<![.+])\*/g, '[^/]+')
        .replaceAll(/:\w+/g, '[^/]+')}$`,
    ).test(topic),
  relation: (one: TopicPattern, other: TopicPattern): PatternRelation => {
    const [ones, others] = [topicsOf(one), topicsOf(other)];
    const shared = [...ones].filter((topic) => others.has(topic)).length;
    if (shared === 0) return 'disjoint';
    if (shared === ones.size) return shared === others.size ? 'equal' : 'subset';
    return shared === others.size ? 'superset' : 'overlap';
  },
};

const listed = new Map<string, ReadonlySet<string>>();
/** All topics of a pattern, computed once. */
function topicsOf(each: TopicPattern): ReadonlySet<string> {
  const found = listed.get(each.text) ?? new Set(allTopics.filter((topic) => naive.matches(each, topic)));
  listed.set(each.text, found);
  return found;
}

describe('TopicPattern compared with a naive model', () => {
  it('a pattern matches the same topics as the model', () => {
    fc.assert(
      fc.property(pattern, fc.constantFrom(...allTopics), (each, topic) => {
        expect([each.text, each.match(topic) !== undefined]).toEqual([each.text, naive.matches(each, topic)]);
      }),
      { numRuns: 5_000 },
    );
  });

  it('two patterns are related as the sets of their topics are', () => {
    const met = new Map<string, number>();
    fc.assert(
      fc.property(pattern, pattern, (one, other) => {
        const relation = one.relationTo(other);
        expect([one.text, other.text, relation]).toEqual([one.text, other.text, naive.relation(one, other)]);
        met.set(relation, (met.get(relation) ?? 0) + 1);
        if (relation === 'disjoint') return;
        const example = one.exampleWith(other);
        expect([one, other].map((each) => each.match(example) !== undefined)).toEqual([true, true]);
      }),
      { numRuns: 1_000 },
    );
    // Otherwise the test has shown nothing.
    for (const relation of ['equal', 'subset', 'superset', 'overlap', 'disjoint']) {
      expect(met.get(relation) ?? 0).toBeGreaterThan(20);
    }
  });

  it('the pattern with the fewest topics decides in any order of declaration, if every two have an order', () => {
    let met = 0;
    fc.assert(
      fc.property(
        fc.array(pattern, { minLength: 2, maxLength: 8 }),
        fc.constantFrom(...allTopics),
        (drawn, topic) => {
          const all = drawn.reduce<TopicPattern[]>((kept, each) => {
            const clashes = kept.some((other) => ['equal', 'overlap'].includes(naive.relation(each, other)));
            return clashes ? kept : [...kept, each];
          }, []);
          const matching = all.filter((each) => naive.matches(each, topic));
          const [expected] = matching.toSorted((one, other) => topicsOf(one).size - topicsOf(other).size);
          const sorted = all.toSorted((one, other) => TopicPattern.compare(one, other));
          expect(sorted.find((each) => each.match(topic) !== undefined)?.text).toBe(expected?.text);
          if (matching.length > 1) met += 1;
        },
      ),
      { numRuns: 3_000 },
    );
    // Otherwise the test has shown nothing.
    expect(met).toBeGreaterThan(100);
  });
});
