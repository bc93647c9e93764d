import fc from 'fast-check';

/**
 * Any Unicode character: the unit of `fc.string`. Its own unit `binary` is the same, but first
 * builds a table for seconds.
 */
export const codePoint = fc
  .oneof(fc.integer({ min: 0, max: 0xd7ff }), fc.integer({ min: 0xe000, max: 0x10_ffff }))
  .map((code) => String.fromCodePoint(code));
