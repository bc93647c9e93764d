import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codePoint } from '../../../test/support/code-point.js';
import { thorough } from '../../../test/support/thorough.js';
import { hashSlot } from './hash-slot.js';
import { encodeTopic, RedisKeys } from './redis-keys.js';

const decode = (text: string): string =>
  text === '%'
    ? ''
    : text.replace(/%([0-9a-f]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

/** Any UTF-16, including unpaired surrogates, and often text with a meaning in Redis. */
function anyText(): string {
  const special = ['{', '}', '*', ':', ' ', '\r\n', '%', '%007b', '/', '\0', '{}'];
  const unit = (): string =>
    randomInt(3) === 0
      ? (special[randomInt(special.length)] ?? '')
      : String.fromCharCode(randomInt(randomInt(2) === 0 ? 128 : 65_536));
  return Array.from({ length: randomInt(12) }, unit).join('');
}

describe('Redis names', () => {
  it('[L-3.1] names of topics are readable, and equal for equal topics', () => {
    const keys = new RedisKeys('live:', 0);
    expect(keys.of('fleet/7')).toEqual({
      meta: 'live:{fleet/7}',
      history: 'live:{fleet/7}:h',
      latest: 'live:{fleet/7}:l',
      order: 'live:{fleet/7}:o',
      versions: ['live:{fleet/7}:v', 'live:{fleet/7}:w'],
    });
    expect(keys.channel('fleet/7')).toBe('live:{fleet/7}');
  });

  it('names are injective and safe for many random Unicode texts', () => {
    const count = thorough ? 100_000 : 10_000;
    const texts = new Set(Array.from({ length: count }, anyText));
    const encoded = new Set<string>();
    for (const text of texts) {
      const name = encodeTopic(text);
      if (!/^[\w.~/%-]+$/.test(name) || decode(name) !== text) throw new Error(JSON.stringify(text));
      encoded.add(name);
    }
    expect(encoded.size).toBe(texts.size);
    expect(texts.size).toBeGreaterThan(0.8 * count);
  });

  it('all keys of a topic lie in one hash slot, whatever the topic and the key are called', () => {
    fc.assert(
      fc.property(fc.string({ unit: codePoint }), fc.string({ unit: codePoint }), (topic, key) => {
        const keys = new RedisKeys('live:', 0);
        const { meta, history, latest, order, versions } = keys.of(topic);
        const stored = [meta, history, latest, order, ...versions, keys.idempotency(topic, key)];
        const all = [...stored, keys.channel(topic)];
        expect(new Set(all.map(hashSlot)).size).toBe(1);
        expect(new Set(stored).size).toBe(7);
      }),
    );
  });

  it('channels of two databases differ, which Redis itself does not ensure', () => {
    const [one, two] = [new RedisKeys('live:', 0), new RedisKeys('live:', 2)];
    expect(one.channel('t')).not.toBe(two.channel('t'));
    expect(one.signals).not.toBe(two.signals);
    expect(one.probe('a')).not.toBe(two.probe('a'));
  });

  it.each(['', 'live{', 'a b', 'x'.repeat(65), 'ü:'])('the prefix %j is rejected', (prefix) => {
    expect(() => new RedisKeys(prefix, 0)).toThrow('"prefix" must be');
  });
});

describe('hashSlot', () => {
  it.each([
    ['123456789', 12_739],
    ['foo', 12_182],
    ['{user1000}.following', hashSlot('user1000')],
    ['foo{}{bar}', 8_363],
    ['foo{{bar}}zap', hashSlot('{bar')],
    ['foo{bar}{zap}', hashSlot('bar')],
  ])('the hash slot of %s is %i, as the Redis cluster specification defines it', (key, slot) => {
    expect(hashSlot(key)).toBe(slot);
  });
});
