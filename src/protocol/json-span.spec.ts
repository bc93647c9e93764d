import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codePoint } from '../../test/support/code-point.js';
import { elementTexts, fieldText } from './json-span.js';

const blank = fc.string({ unit: fc.constantFrom(' ', '\t', '\n', '\r'), maxLength: 3 });

/** A JSON text of a value, spelled in varying ways that JSON allows. */
const spelled: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('null', 'true', 'false', '0', '-0', '1e400', '9007199254740993', '1E+2', '0.10'),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => JSON.stringify(number)),
    fc.string({ unit: codePoint }).map((text) => JSON.stringify(text)),
    fc.string({ maxLength: 5 }).map(escaped),
    fc.tuple(blank, fc.array(tie('value'), { maxLength: 4 })).map(([gap, all]) => {
      return `[${gap}${all.join(`${gap},${gap}`)}${gap}]`;
    }),
    fc
      .tuple(blank, fc.array(fc.tuple(fc.string({ maxLength: 4 }), tie('value')), { maxLength: 4 }))
      .map(([gap, all]) => objectText(all, gap)),
  ),
})).value;

/** Every character as an escape. */
function escaped(text: string): string {
  const units = text.split('').map((unit) => unit.charCodeAt(0).toString(16).padStart(4, '0'));
  return `"${units.map((unit) => `\\u${unit}`).join('')}"`;
}

function objectText(fields: readonly (readonly [string, string])[], gap = ''): string {
  const texts = fields.map(([name, value], i) => {
    return `${i % 2 === 0 ? JSON.stringify(name) : escaped(name)}${gap}:${gap}${value}`;
  });
  return `{${gap}${texts.join(`${gap},${gap}`)}${gap}}`;
}

const names = fc.constantFrom('data', 'dat', 'data2', 'topic', '__proto__', 'd"', 'd\\', 'ü', '');

describe('fieldText', () => {
  it('fieldText returns the raw text of the field that JSON.parse would read, in every spelling', () => {
    const fields = fc.array(fc.tuple(names, spelled), { maxLength: 6 });
    fc.assert(
      fc.property(fields, blank, names, (all, gap, name) => {
        const text = `${gap}${objectText(all, gap)}${gap}`;
        const parsed = JSON.parse(text) as Record<string, unknown>;
        const written = fieldText(text, name);
        expect(written).toBe(all.findLast(([each]) => each === name)?.[1]);
        expect(written === undefined).toBe(!Object.hasOwn(parsed, name));
        if (written !== undefined) expect(JSON.parse(written)).toEqual(parsed[name]);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each(['', ' ', '[1]', '"data"', '1', '{}', '{"data"', '{"data":', '{"', '{"data":"', '{"data":[', '{,'])(
    'fieldText terminates on %j, which lacks the field',
    (text) => {
      expect(fieldText(text, 'data') ?? '').toMatch(/^["[]?$/);
    },
  );

  it('fieldText and elementTexts terminate on any text', () => {
    const pieces = fc.constantFrom('{', '}', '[', ']', '"', '\\', ',', ':', ' ', 'data', '1');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (all) => {
        expect(() => [fieldText(all.join(''), 'x'), elementTexts(all.join(''))]).not.toThrow(TypeError);
      }),
    );
  });
});

describe('elementTexts', () => {
  it('elementTexts returns the raw text of each array element', () => {
    fc.assert(
      fc.property(fc.array(spelled, { maxLength: 6 }), blank, (all, gap) => {
        expect(elementTexts(`${gap}[${gap}${all.join(`${gap},${gap}`)}${gap}]${gap}`)).toEqual(all);
      }),
      { numRuns: 1_000 },
    );
  });
});
