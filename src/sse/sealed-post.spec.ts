import { createCipheriv } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Posted, seal, sealingKeyOf, unseal } from './sealed-post.js';

const key = sealingKeyOf('secret');
const posted: Posted = { user: 'hash', sequence: 7, text: '{"type":"auth","token":"tökên"}' };

/** Something that a client seals with the key of its own session. */
function sealText(text: string): string {
  const nonce = Buffer.alloc(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  return Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]).toString('base64');
}

describe('A sealed POST', () => {
  it.each([posted, { ...posted, user: null, text: '' }])(
    '[L-12.11] the key of the session opens the POST %j',
    (each) => {
      expect(unseal(seal(each, key), key)).toEqual(each);
    },
  );

  it('[L-12.11] a sealed POST shows nothing of its text, and looks different each time', () => {
    const sealed = seal(posted, key);
    expect(Buffer.from(sealed, 'base64').toString('latin1')).not.toMatch(/auth|hash/);
    expect(seal(posted, key)).not.toBe(sealed);
  });

  it('[L-12.11] a POST with any changed, missing or added byte, or of another session, is refused', () => {
    const bytes = Buffer.from(seal(posted, key), 'base64');
    const refused = (changed: Buffer): void =>
      expect(unseal(changed.toString('base64'), key)).toBeUndefined();
    for (let at = 0; at < bytes.byteLength; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      refused(changed);
      refused(bytes.subarray(0, at));
      refused(bytes.subarray(at + 1));
    }
    refused(Buffer.concat([bytes, bytes]));
    expect(unseal(bytes.toString('base64'), sealingKeyOf('other'))).toBeUndefined();
    expect(unseal('not base64 \ud800', key)).toBeUndefined();
  });

  it.each(['', '{', 'null', '7', '{}', '[]', '[7,1,""]', '["u",1.5,""]', '["u",1]', '["u",1,7]'])(
    '[L-12.11] the text %j, sealed with the right key, is refused',
    (text) => {
      expect(unseal(sealText('["u",1,"x"]'), key)).toEqual({ user: 'u', sequence: 1, text: 'x' });
      expect(unseal(sealText(text), key)).toBeUndefined();
    },
  );
});
