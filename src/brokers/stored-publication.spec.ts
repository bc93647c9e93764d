import { describe, expect, it } from 'vitest';
import { storedPublication, storedRemoval, storedText } from './stored-publication.js';

describe('storedPublication', () => {
  it('an instance that does not know removals reads one as the text null', () => {
    expect(JSON.parse(storedText('null', { key: 'k', remove: true }))).toBeNull();
  });

  it('[L-4.11] a stored removal is read as a removal', () => {
    const stored = storedText('null', { key: 'k', remove: true });
    expect(storedPublication(1, stored, 'k')).toEqual({ offset: 1, data: 'null', key: 'k', removed: true });
  });

  it.each(['null', storedRemoval, ' null', '"\\tnull"'])('data %j is never read as a removal', (data) => {
    expect(storedPublication(1, storedText(data, { key: 'k' }), 'k')).not.toHaveProperty('removed');
  });
});
