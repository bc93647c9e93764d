import { describe, expect, it } from 'vitest';
import { TestCluster, type TestInstance } from '../../../test/support/test-cluster.js';
import { readSignal } from './read-signal.js';
import { type PostResult, type SealedPost, signalText } from './signal.js';

const posted: SealedPost = { session: 'hash', sealed: 'c2VhbGVk' };

async function pair() {
  const cluster = new TestCluster();
  const [here, there] = (await cluster.start('a', 'b')) as [TestInstance, TestInstance];
  const forward = (to: string, what = posted): Promise<PostResult> =>
    cluster.during(here.test.live.cluster.forwards.forward(to, what), 4_000);
  const { forwards, self } = there.test.live.cluster;
  return { cluster, here, there, forward, forwards, key: self.key };
}

describe('Forwards', () => {
  it('[L-12.11] what is posted to another instance is taken there, and its answer comes back', async () => {
    const { forward, forwards, key } = await pair();
    const taken: SealedPost[] = [];
    const results: PostResult[] = ['taken', 'other-user'];
    forwards.take = (each) => {
      taken.push(each);
      return results.shift() ?? 'busy';
    };
    expect([await forward(key), await forward(key), await forward(key)]).toEqual([
      'taken',
      'other-user',
      'busy',
    ]);
    expect(taken).toEqual([posted, posted, posted]);
  });

  it('[L-12.11] an instance that is not there has no session, nor has one without event streams', async () => {
    const { forward, key } = await pair();
    expect(await forward('nobody')).toBe('unknown-session');
    expect(await forward(key)).toBe('unknown-session');
  });

  it('[L-12.11] an instance that does not answer in 3 s leaves the POST unanswered', async () => {
    const { forward, forwards, key, there } = await pair();
    forwards.take = () => 'taken';
    there.end.connected = false;
    expect(await forward(key)).toBe('unanswered');
  });

  it('[L-12.11] messages that no signal can carry are refused', async () => {
    const { forward, forwards, key } = await pair();
    forwards.take = () => 'taken';
    expect(await forward(key, { ...posted, sealed: 'x'.repeat(300_000) })).toBe('too-large');
  });

  it.each([
    [{ ...posted, session: 7 }],
    [{ ...posted, sealed: null }],
    [{ ...posted, sealed: ['x'] }],
    [null],
  ])('[L-12.11] the forged post %j is rejected', (each) => {
    const body = { type: 'post', to: 'a', id: 1, posted: each as unknown as SealedPost } as const;
    expect(readSignal(signalText('b', body))).toBeUndefined();
    expect(readSignal(signalText('b', { ...body, posted }))).toMatchObject({ posted });
    const answer = { type: 'post-answer', to: 'a', id: 1, result: 'constructor' as PostResult } as const;
    expect(readSignal(signalText('b', answer))).toBeUndefined();
  });
});
