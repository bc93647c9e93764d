import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codePoint } from '../../../test/support/code-point.js';
import { storedRemoval } from '../stored-publication.js';
import { type Content, decode, encode, type KeyVersion } from './stored-message.js';

const count = fc.nat(1_000_000);
const content: fc.Arbitrary<Content> = fc.record({
  epoch: fc.base64String({ minLength: 1, maxLength: 64 }),
  life: count,
  lineage: fc.array(fc.record({ epoch: fc.base64String({ minLength: 1, maxLength: 64 }), end: count }), {
    maxLength: 16,
  }),
  top: count,
  tail: count,
  refs: fc.array(count, { maxLength: 16 }),
  publications: fc.array(
    fc
      .record({
        offset: fc.integer({ min: 1, max: 1_000_000 }),
        data: fc.json(),
        key: fc.option(fc.string({ unit: codePoint, minLength: 1, maxLength: 64 })),
        removed: fc.boolean(),
      })
      .map(({ key, removed, data, ...rest }) =>
        key !== null && removed
          ? { ...rest, data: 'null', key, removed }
          : { ...rest, data, ...(key !== null && { key }) },
      ),
    { maxLength: 5 },
  ),
  version: fc.option(fc.maxSafeInteger(), { nil: undefined }),
  keyed: fc.boolean(),
  versions: fc.option(
    fc.array(
      fc.tuple(fc.string({ unit: codePoint }), fc.maxSafeInteger()).map((pair): KeyVersion => pair),
      { minLength: 1, maxLength: 5 },
    ),
    { nil: undefined },
  ),
  times: fc.constant(undefined),
  rules: fc.option(fc.record({ size: count, ttlMs: count, maxBytes: count }), { nil: undefined }),
  latest: fc.option(fc.constantFrom('last' as const, 'last-per-key' as const), { nil: undefined }),
  base: fc.option(fc.record({ offset: count, seqs: fc.array(count, { maxLength: 5 }) }), {
    nil: undefined,
  }),
  kept: fc.boolean(),
  remembered: fc.boolean(),
  anew: fc.boolean(),
});

const sample = encode({
  epoch: 'e',
  life: 4,
  lineage: [{ epoch: 'd', end: 1 }],
  top: 2,
  tail: 1,
  refs: [7],
  publications: [
    { offset: 1, data: '"ü\u2028"', key: 'k' },
    { offset: 2, data: '{\n}' },
  ],
  rules: { size: 1, ttlMs: 2, maxBytes: 3 },
  base: { offset: 1, seqs: [3, 4] },
  kept: true,
  remembered: false,
});

describe('Stored messages', () => {
  it('a message survives encoding', () => {
    fc.assert(
      fc.property(content, (written) => {
        const { bytes, ...read } = decode(encode(written)) ?? { bytes: -1 };
        expect(read).toEqual(written);
        const texts = written.publications.map(({ data, removed }) => (removed ? storedRemoval : data));
        expect(bytes).toBe(Buffer.byteLength(texts.join('')));
      }),
    );
  });

  it('a base survives encoding with the times and versions of its keys', () => {
    const base = {
      ...(decode(sample) as Content),
      times: [0, 1_700_000_000_000],
      versions: [['k', -3] as const],
      keyed: true,
    };
    expect(decode(encode(base))).toMatchObject(base);
  });

  it('a message can be decoded from the middle of a larger buffer, as it arrives from the network', () => {
    const wire = new Uint8Array(Buffer.concat([Buffer.from('MSG\n'), sample, Buffer.from('\r\n')]));
    expect(decode(wire.subarray(4, 4 + sample.length))).toEqual(decode(sample));
  });

  it('a message with a missing, surplus or invalid part is rejected without an error', () => {
    for (let length = 0; length < sample.length; length++)
      expect(decode(sample.subarray(0, length))).toBeUndefined();
    expect(decode(Buffer.concat([sample, Buffer.from(' ')]))).toBeUndefined();
    const [line = ''] = sample.toString().split('\n');
    const fields = JSON.parse(line) as Record<string, unknown>;
    const wrong = [null, -1, 1.5, '', 'x'.repeat(65), [], {}, ['x'], [[1, 1, 1]], [[-1, 1]], [1], 2 ** 60];
    for (const name of [
      'v',
      'e',
      'g',
      'y',
      'o',
      't',
      'r',
      'p',
      'n',
      'h',
      'l',
      'b',
      'k',
      'm',
      'a',
      'q',
      'u',
      'w',
    ]) {
      for (const value of wrong) {
        const forged = `${JSON.stringify({ ...fields, p: [], [name]: value })}\n`;
        const read = decode(Buffer.from(forged));
        const isFine = ['r', 'p', 'u', 'w'].includes(name) && JSON.stringify(value) === '[]';
        const isInteger = name === 'n' && value === -1;
        const isSeqs = (name === 'r' || name === 'b') && JSON.stringify(value) === '[1]';
        expect(read === undefined, forged).toBe(!(isFine || isInteger || isSeqs));
      }
    }
  });

  it.each([
    ['data that is not JSON', { offset: 1, data: '{"a":' }],
    ['data that would break out of a frame', { offset: 1, data: '1},{"type":"event"' }],
    ['no data', { offset: 1, data: '' }],
    ['an offset of 0', { offset: 0, data: '1' }],
    ['a key of no length', { offset: 1, data: '1', key: '' }],
    ['a key that is too long', { offset: 1, data: '1', key: 'k'.repeat(129) }],
  ])('a message with %s is rejected', (_what, publication) => {
    const written = { ...(decode(sample) as Content), publications: [publication] };
    expect(decode(encode(written))).toBeUndefined();
  });

  it('random bytes are rejected, and mutated messages never throw', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.nat(sample.length - 1),
        fc.nat(255),
        (bytes, at, byte) => {
          expect(decode(bytes)).toBeUndefined();
          const mutant = new Uint8Array(sample);
          mutant[at] = byte;
          decode(mutant);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
