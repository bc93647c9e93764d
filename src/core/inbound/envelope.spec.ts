import { describe, expect, it } from 'vitest';
import { LiveError } from '../../protocol/live.error.js';
import { readEnvelope } from './envelope.js';

const nested = (depth: number): string => '['.repeat(depth - 1) + ']'.repeat(depth - 1);

describe('readEnvelope', () => {
  it.each([
    ['Invalid message envelope', 'x', '[]', '{}', '{"type":1}', '{"__proto__":{"type":"ping"}}'],
    [
      '"id" must be a number or a string of at most 64 characters',
      '{"type":"a","id":null}',
      '{"type":"a","id":[]}',
    ],
    ['JSON may be at most 16 levels deep', `{"type":"a","data":${nested(17)}}`, '['.repeat(60_000)],
  ])(
    '[L-2.2] [L-2.4] [L-2.7] every message refused with "%s" shares one error object, so a flood is cheap',
    (words, ...texts) => {
      const errors = texts.map(readEnvelope);
      expect(errors[0]).toEqual(new LiveError('protocol-violation', words));
      expect(new Set(errors).size).toBe(1);
    },
  );

  it('[L-2.7] 16 levels are accepted, and brackets in strings do not count', () => {
    const text = `{"type":"a","data":${nested(16)},"text":"${'[{'.repeat(50)}\\"[[\\\\"}`;
    expect(readEnvelope(text)).toEqual(JSON.parse(text));
  });

  it('[L-2.1] __proto__ is an ordinary field and nothing is inherited from it', () => {
    const message = readEnvelope('{"type":"a","__proto__":{"admin":true}}');
    expect([Object.getPrototypeOf(message), (message as { admin?: unknown }).admin]).toEqual([
      Object.prototype,
      undefined,
    ]);
  });
});
