import { beforeEach, describe, expect, it } from 'vitest';
import { World } from '../../test/support/client-world.js';
import { state } from './index.js';

let world: World;
let frames: (() => void)[];
beforeEach(() => {
  world = new World();
  frames = [];
});

interface Tally {
  readonly yes: number;
  readonly no: number;
}

const none: Tally = { yes: 0, no: 0 };
const schedule = (run: () => void): void => void frames.push(run);
const apply = (tally: Tally, { data }: { readonly data?: unknown }): Tally =>
  data === 'yes' ? { ...tally, yes: tally.yes + 1 } : { ...tally, no: tally.no + 1 };
const subscribed = (id: number | undefined, offset: number, more: object = {}) => ({
  type: 'subscribed',
  ...(id !== undefined && { id }),
  topic: 'votes/9',
  epoch: 'e',
  offset,
  recovered: false,
  ...more,
});
const vote = (offset: number, data: string) => ({ type: 'event', topic: 'votes/9', offset, data });
const lost = { type: 'lost', topic: 'votes/9', from: 5, to: 7, count: 3 };

function frame(): void {
  for (const run of frames.splice(0)) run();
}

describe('state', () => {
  it('[L-6.1] a state is the snapshot with each later publication applied, told once a frame', async () => {
    const votes = state(await world.openClient(), 'votes/9', { initial: none, apply, schedule });
    const told: Tally[] = [];
    votes.onChange((tally) => void told.push(tally));
    await world.settle();
    expect([votes.value, votes.stale]).toEqual([none, true]);
    await world.peer.tell(subscribed(1, 4, { snapshot: { yes: 3, no: 1 } }), vote(5, 'yes'), vote(6, 'no'));
    await votes.ready;
    frame();
    expect([votes.value, votes.stale, told]).toEqual([{ yes: 4, no: 2 }, false, [{ yes: 4, no: 2 }]]);
  });

  it('[L-5.7] a pushed snapshot replaces the state, and `initial` may convert it', async () => {
    const initial = (snapshot: unknown): Tally => ({ yes: Number(snapshot ?? 0), no: 0 });
    const votes = state(await world.openClient(), 'votes/9', { initial, apply, schedule });
    await world.settle();
    await world.peer.tell(subscribed(1, 4, { snapshot: 7 }), vote(5, 'no'), { ...lost, from: 6 });
    expect([votes.value, votes.stale]).toEqual([{ yes: 7, no: 1 }, true]);
    await world.peer.tell(subscribed(undefined, 7, { snapshot: 8 }));
    expect([votes.value, votes.stale]).toEqual([{ yes: 8, no: 0 }, false]);
  });

  it('[L-5.8] a state without a snapshot begins with `initial`, and is stale after a loss', async () => {
    const votes = state(await world.openClient(), 'votes/9', { initial: none, apply, schedule });
    await world.settle();
    await world.peer.tell(subscribed(1, 3), vote(4, 'yes'));
    expect([votes.value, votes.stale]).toEqual([{ yes: 1, no: 0 }, false]);
    await world.peer.tell(lost, vote(8, 'yes'));
    expect([votes.value, votes.stale]).toEqual([{ yes: 2, no: 0 }, true]);
    await world.peer.tell(subscribed(undefined, 0, { epoch: 'f' }), vote(1, 'no'));
    expect([votes.value, votes.stale]).toEqual([{ yes: 0, no: 1 }, false]);
  });
});
