import { describe, expect, it } from 'vitest';
import { thorough } from '../support/thorough.js';
import { effortOf, type Kind, projectOf } from './many-topics.js';
import { countsOf, timesOf } from './times-of.js';

/** With so many, also what grows with the square of their number counts. */
const many = 200;
const topics = thorough ? many : 50;

const kinds: readonly Kind[] = ['untyped', 'typed'];
const projects = () => new Map(kinds.map((kind) => [kind, projectOf(kind, many)]));

describe('The types of a project with many topics', () => {
  it('each topic costs the compiler at most 2,500 instantiations more than without types', () => {
    const typed = effortOf(projectOf('typed', topics));
    const untyped = effortOf(projectOf('untyped', topics));
    expect([typed.errors, untyped.errors]).toEqual([[], []]);
    expect((typed.instantiations - untyped.instantiations) / topics).toBeLessThan(2_500);
  }, 300_000);

  it.runIf(thorough)(
    'each topic costs the four checkers of TypeScript 7 together at most 3,500 instantiations more',
    async () => {
      // Each checker needs the names of all topics, so what a name costs counts four times.
      const counts = await countsOf(projects(), '7', '--checkers', '4');
      expect(((counts.get('typed') ?? Number.NaN) - (counts.get('untyped') ?? 0)) / many).toBeLessThan(3_500);
    },
    300_000,
  );

  it.runIf(process.env['TYPES_TIME'])(
    'tsc takes at most 1.3 times as long as without types (TYPES_TIME=6, or a version; on a quiet machine)',
    async () => {
      const seconds = await timesOf(projects(), process.env['TYPES_TIME'] ?? '');
      console.log(seconds);
      const median = (kind: Kind): number => seconds.get(kind)?.toSorted((a, b) => a - b)[2] ?? Number.NaN;
      expect(median('typed') / median('untyped')).toBeLessThanOrEqual(1.3);
    },
    900_000,
  );
});
