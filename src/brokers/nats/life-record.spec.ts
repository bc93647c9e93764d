import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { type LifeRecord, newEra, newLife, verdictOf } from './life-record.js';
import { decodeLife, encodeLife } from './stored-life.js';

const alone = { name: 'N1', id: 'N1', clustered: false, copies: 1 };
const member = (name: string, id: string, copies = 1) => ({ name, id, clustered: true, copies });
const first = newLife(undefined, alone, 1_000);
const placed = (content: typeof first, seq: number): LifeRecord => ({
  ...content,
  stream: 's',
  seq,
  since: content.since ?? seq,
  atMs: 0,
});

describe('A life record', () => {
  it('a life record survives encoding, and other bytes are rejected', () => {
    const era = newEra(placed(first, 7), alone, 2_000);
    expect(decodeLife(encodeLife(era))).toEqual(era);
    for (const text of ['', '{}', '1', 'null', '[]', '{"v":1,"n":0,"e":"x","l":[],"d":[],"r":[]}'])
      expect(decodeLife(Buffer.from(text))).toBeUndefined();
    const whole = encodeLife(era).toString();
    for (const [from, to] of [
      ['"v":1', '"v":2'],
      ['"n":1000', '"n":-1'],
      ['"l":[[', '"l":[[1,'],
      ['"d":[[', '"d":[[1,'],
    ] as const)
      expect(decodeLife(Buffer.from(whole.replace(from, to)))).toBeUndefined();
  });

  it('the number of a life only grows, even if the previous record was lost', () => {
    expect(newLife(placed(first, 7), alone, 500).life).toBe(1_001);
    expect(newLife(placed(first, 7), alone, 5_000).life).toBe(5_000);
    expect(newLife(undefined, alone, 500, 2_000).life).toBe(2_001);
  });

  it('a life record lists earlier eras, and each era has a new epoch', () => {
    const era = placed(newEra(placed(first, 7), alone, 2_000), 9);
    const life = newLife(era, alone, 3_000);
    expect(life.before.map(({ seq }) => seq)).toEqual([9, 7]);
    expect(new Set([first.epoch, era.epoch, life.epoch]).size).toBe(3);
    expect([era.life, era.since, life.since]).toEqual([1_000, 7, undefined]);
  });
});

describe('The verdict about a server', () => {
  it('a server that did not restart is in the same life', () => {
    expect(verdictOf(first, alone, 0)).toBe('same');
  });

  it('a single server that restarted may have ended the life', () => {
    expect(verdictOf(first, { ...alone, name: 'N2', id: 'N2' }, 0)).toBe('over');
    expect(verdictOf(first, { ...alone, id: 'N2' }, 0)).toBe('over');
  });

  it('another server of a cluster is recorded, and one that restarted may have ended the life', () => {
    const cluster = newLife(undefined, member('a', 'A1'), 0);
    expect(verdictOf(cluster, member('b', 'B1'), 0)).toBe('noted');
    const both = newEra(placed(cluster, 1), member('b', 'B1'), 0);
    expect([...both.servers.keys()].toSorted()).toEqual(['a', 'b']);
    expect(verdictOf(both, member('a', 'A2'), 0)).toBe('over');
  });

  it('restarts of a majority of copies within ten minutes may have ended the life', () => {
    const servers = ['a', 'b', 'c'];
    let record = placed(newLife(undefined, member('a', 'a1', 3), 0), 1);
    for (const name of servers) record = placed(newEra(record, member(name, `${name}1`, 3), 0), 2);
    expect(verdictOf(record, member('a', 'a2', 3), 1_000)).toBe('noted');
    record = placed(newEra(record, member('a', 'a2', 3), 1_000), 3);
    expect(verdictOf(record, member('b', 'b2', 3), 601_001)).toBe('noted');
    expect(verdictOf(record, member('b', 'b2', 3), 300_000)).toBe('over');
  });
});
