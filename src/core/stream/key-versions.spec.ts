import { describe, expect, it } from 'vitest';
import { KeyVersions, maxKeyVersions } from './key-versions.js';

describe('KeyVersions', () => {
  it('a version that is not newer than that of its key is stale', () => {
    const versions = new KeyVersions();
    versions.set('a', 5);
    const stale = [4, 5, 6].map((version) => versions.isStale('a', version));
    expect([stale, versions.isStale('b', 1)]).toEqual([[true, true, false], false]);
  });

  it('the most recent keys are kept, and at most twice the limit', () => {
    const versions = new KeyVersions();
    for (let n = 0; n < 5 * maxKeyVersions; n++) {
      versions.set('steady', n);
      versions.set(String(n), 1);
      if (n >= maxKeyVersions) expect(versions.get(String(n - maxKeyVersions + 2))).toBe(1);
    }
    expect(versions.get('steady')).toBe(5 * maxKeyVersions - 1);
    expect(versions.get('0')).toBeUndefined();
    expect(versions.byteLength).toBeLessThanOrEqual(2 * maxKeyVersions * 6);
  });
});
