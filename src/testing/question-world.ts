import { TestLive, type TestLiveOptions } from './test-live.js';

export type Received = Readonly<Record<string, unknown>>;

/**
 * A test world in which the test answers the authorization checks, by topic, in the order they were
 * asked.
 */
export function questionWorld(options: TestLiveOptions = {}) {
  const asked: string[] = [];
  const answers = new Map<string, (allowed: boolean) => void>();
  const question = (topic: string) => (): Promise<boolean> => {
    asked.push(topic);
    return new Promise((resolve) => answers.set(topic, resolve));
  };
  const test = new TestLive({
    rulesFor: (topic) => ({
      canSubscribe: question(topic),
      canPublish: question(topic),
      history: { size: 10, ttlMs: 60_000, maxBytes: 10_000 },
    }),
    limits: { authorizationRecheckMs: 0 },
    ...options,
  });
  const peer = test.connect();
  const answer = async (topic: string, allowed = true): Promise<void> => {
    answers.get(topic)?.(allowed);
    await test.clock.settle();
  };
  const received = (): Received[] => peer.received() as Received[];
  const said = (): string[] =>
    received().map(({ type, id, topic, code }) => [type, id, topic, code].filter(Boolean).join(' '));
  return { test, peer, send: peer.send, asked, answer, received, said };
}

export const subscribe = (topic: string, id?: number, more: object = {}) => ({
  type: 'subscribe',
  id,
  topic,
  ...more,
});
export const unsubscribe = (topic: string, id?: number) => ({ type: 'unsubscribe', id, topic });
