import { onTestFinished, vi } from 'vitest';
import type { LiveClient } from '../../src/client/index.js';
import { World } from './client-world.js';

/** A client of a fake server, and a page whose frames and delays run when the test says so. */
export interface BindingWorld {
  readonly client: LiveClient;
  /** The server sends messages, and the page shows the next frame. */
  tell(...messages: readonly Record<string, unknown>[]): Promise<void>;
  /** Time passes: the timers of the page, not of the client. */
  pass(ms: number): Promise<void>;
  /** The messages on the wire since the last call. */
  wire(): unknown[];
  /** The server ends the connection. */
  cut(): Promise<void>;
}

/** Timers are real again at the end of the test. */
export async function bindingWorld(): Promise<BindingWorld> {
  const world = new World();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(async () => {
    // All tests of a process share the frame.
    await vi.advanceTimersByTimeAsync(16);
    vi.useRealTimers();
  });
  const client = await world.openClient();
  const pass = async (ms: number): Promise<void> => void (await vi.advanceTimersByTimeAsync(ms));
  return {
    client,
    pass,
    async tell(...messages) {
      await world.settle();
      await world.peer.tell(...messages);
      await pass(16);
    },
    wire: () =>
      world
        .take()
        .filter((line) => line.startsWith('> '))
        .map((line) => JSON.parse(line.slice(2)) as unknown),
    cut: () => world.peer.end(),
  };
}

/** The answer to the first subscribe to the topic `a`. */
export const start = (offset: number, snapshot?: unknown) => ({
  type: 'subscribed',
  id: 1,
  topic: 'a',
  epoch: 'e',
  offset,
  recovered: false,
  ...(snapshot !== undefined && { snapshot }),
});
/** A publication on the topic `a`. */
export const event = (offset: number, key: string, data: unknown) => ({
  type: 'event',
  topic: 'a',
  offset,
  data,
  key,
});
