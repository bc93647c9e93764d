import { describe, expect, it } from 'vitest';
import { thorough } from '../support/thorough.js';
import { effortOf, projectOf } from './many-topics.js';

/** With so many, also what grows with the square of their number counts. */
const topics = thorough ? 200 : 50;

describe('The types of a project with many topics', () => {
  it('each topic costs the compiler at most 5,000 instantiations more than without types', () => {
    const typed = effortOf(projectOf('typed', topics));
    const untyped = effortOf(projectOf('untyped', topics));
    expect([typed.errors, untyped.errors]).toEqual([[], []]);
    expect((typed.instantiations - untyped.instantiations) / topics).toBeLessThan(5_000);
  }, 300_000);
});
