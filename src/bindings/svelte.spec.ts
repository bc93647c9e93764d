import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { bindingWorld, event, start } from '../../test/support/binding-world.js';
import { leaveAfterMs } from './shared.js';
import { liveCollection, livePresence, liveState, liveStatus } from './svelte.js';

beforeEach(() => {
  vi.stubGlobal('document', {});
  onTestFinished(() => void vi.unstubAllGlobals());
});

describe('nestjs-live/svelte', () => {
  it('[L-4.1] a store calls `run` at once, then once a frame, and its collection outlives it', async () => {
    const { client, tell, pass, wire } = await bindingWorld();
    const store = liveCollection(client, 'a');
    const seen: unknown[] = [];
    const stop = store.subscribe(({ data, ready }) => seen.push([ready, Object.fromEntries(data)]));
    expect(seen).toEqual([[false, {}]]);
    await tell(start(0, { x: 0 }), event(1, 'x', 1));
    stop();
    store.subscribe(({ data }) => seen.push(Object.fromEntries(data)))();
    expect(seen.slice(1)).toEqual([[true, { x: 1 }], { x: 1 }]);
    await pass(leaveAfterMs + 1);
    expect(wire()).toMatchObject([{ type: 'subscribe' }, { type: 'unsubscribe' }]);
  });

  it('[L-6.1] stores of a state, of presence and of the status have their values at once', async () => {
    const { client, tell } = await bindingWorld();
    const seen: unknown[] = [];
    liveState(client, 'a').subscribe(({ data }) => seen.push(data));
    liveStatus(client).subscribe(({ state }) => seen.push(state));
    livePresence(client, 'b').subscribe(({ data }) => seen.push(data));
    expect(seen).toEqual([undefined, 'open', []]);
    await tell(start(3, 'latest'));
    expect(seen.slice(3)).toEqual(['latest']);
  });

  it('a store opens no connection while a server renders a page', async () => {
    const { client, wire } = await bindingWorld();
    vi.unstubAllGlobals();
    const seen: unknown[] = [];
    liveCollection(client, 'a').subscribe(({ ready }) => seen.push(ready))();
    liveStatus(client).subscribe(({ state }) => seen.push(state))();
    expect([seen, wire()]).toEqual([[false, 'connecting'], []]);
  });
});
