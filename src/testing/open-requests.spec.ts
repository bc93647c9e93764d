import { describe, expect, it } from 'vitest';
import { OpenRequests } from './open-requests.js';

function requests(...messages: readonly (object | string)[]): OpenRequests {
  const open = new OpenRequests();
  for (const message of messages) open.sent(typeof message === 'string' ? message : JSON.stringify(message));
  return open;
}

describe('OpenRequests', () => {
  it('a request is answered by any message with its id', () => {
    const open = requests({ type: 'subscribe', id: 1, topic: 'a' }, { type: 'publish', id: 2, topic: 'a' });
    open.received({ type: 'event', topic: 'a' });
    open.received({ type: 'pong', id: 3 });
    expect(open.count).toBe(2);
    open.received({ type: 'error', id: 2, code: 'forbidden', topic: 'a' });
    open.received({ type: 'subscribed', id: 1, topic: 'a' });
    expect(open.count).toBe(0);
  });

  it('a request without an id is answered by type and topic, but not by what the server does by itself', () => {
    const open = requests({ type: 'unsubscribe', topic: 'a' }, { type: 'subscribe', topic: 'b' });
    open.received({ type: 'unsubscribed', topic: 'a', code: 'forbidden' });
    open.received({ type: 'subscribed', topic: 'a' });
    expect(open.count).toBe(2);
    open.received({ type: 'unsubscribed', topic: 'a' });
    open.received({ type: 'error', topic: 'b', code: 'unavailable' });
    expect(open.count).toBe(0);
  });

  it('a message with many topics is many requests, and one error without a topic answers them all', () => {
    const open = requests(
      { type: 'subscribe', id: 1, topics: [{ topic: 'a' }, { topic: 'b' }] },
      { type: 'unsubscribe', id: 2, topics: ['a', 'b'] },
    );
    open.received({ type: 'subscribed', id: 1, topic: 'b' });
    expect(open.count).toBe(3);
    open.received({ type: 'error', id: 2, code: 'rate-limited' });
    expect(open.count).toBe(1);
  });

  it('an invalid message is answered by its known error text', () => {
    const open = requests('no JSON', { type: 'subscribe', topic: '' });
    open.received({ type: 'error', code: 'protocol-violation', message: 'Invalid message envelope' });
    expect(open.count).toBe(1);
    open.received({ type: 'error', code: 'protocol-violation', message: '"topic" must be a topic' });
    expect(open.count).toBe(0);
  });

  it('a message for the application is not an open request, because it may get no answer', () => {
    const open = requests({ type: 'greet', id: 1 });
    expect([open.count, open.sentToApplication]).toEqual([0, true]);
  });
});
