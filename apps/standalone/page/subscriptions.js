/**
 * @typedef {object} Subscription
 * @property {string} topic
 * @property {'waiting' | 'asking' | 'live' | 'refused' | 'ended'} state
 * @property {string} [epoch]
 * @property {number} [offset] last offset seen
 * @property {number} events
 * @property {number} missing offsets that never came and of which nobody told: must stay 0
 * @property {number} lost offsets that the server said will not come
 * @property {number} recoveries reconnects without a gap
 * @property {number} restarts times the server said that it starts anew
 * @property {boolean} interrupted the connection was lost since the last answer
 * @property {string} [note] why it was refused or ended
 */

/** What this page follows, and how far it has got; it reads frames and knows no socket. */
export class Subscriptions {
  /** @type {Map<string, Subscription>} */
  #byTopic = new Map();

  /** @returns {Subscription[]} */
  all() {
    return [...this.#byTopic.values()];
  }

  /** @param {string} topic @returns {Subscription} a new one, or the one that is there */
  want(topic) {
    const known = this.#byTopic.get(topic);
    if (known && known.state !== 'refused' && known.state !== 'ended') return known;
    const fresh = { topic, events: 0, missing: 0, lost: 0, recoveries: 0, restarts: 0, interrupted: false };
    /** @type {Subscription} */
    const subscription = { ...fresh, state: 'waiting' };
    this.#byTopic.set(topic, subscription);
    return subscription;
  }

  /** @param {Subscription} subscription whether it is still wanted */
  has(subscription) {
    return this.#byTopic.get(subscription.topic) === subscription;
  }

  /** @param {string} topic */
  forget(topic) {
    this.#byTopic.delete(topic);
  }

  /** The connection is gone; positions stay. */
  interrupt() {
    for (const subscription of this.#byTopic.values()) {
      if (subscription.state === 'refused' || subscription.state === 'ended') continue;
      subscription.interrupted = subscription.epoch !== undefined;
      subscription.state = 'waiting';
    }
  }

  /** @returns {Subscription[]} those to ask for on a new connection */
  waiting() {
    return this.all().filter(({ state }) => state === 'waiting');
  }

  /** @param {any} message a frame from the server */
  accept(message) {
    const subscription = this.#byTopic.get(message.topic);
    if (!subscription) return;
    if (message.type === 'subscribed') reached(subscription, message);
    if (message.type === 'event') advance(subscription, message);
    if (message.type === 'lost') {
      subscription.lost += message.count;
      subscription.offset = Math.max(subscription.offset ?? 0, message.to);
    }
    if (message.type === 'unsubscribed' && message.id === undefined) {
      subscription.state = 'ended';
      subscription.note = [message.code, message.reason].filter(Boolean).join(': ');
    }
  }
}

/** @param {Subscription} subscription @param {any} message */
function reached(subscription, message) {
  const returning = subscription.interrupted || message.id === undefined;
  subscription.state = 'live';
  subscription.interrupted = false;
  // What follows a recovery continues our own position, so that stays the one to count from.
  if (message.recovered && subscription.offset !== undefined) {
    if (returning) subscription.recoveries += 1;
    return;
  }
  if (returning) subscription.restarts += 1;
  subscription.epoch = message.epoch;
  subscription.offset = message.offset;
}

/** @param {Subscription} subscription @param {any} message */
function advance(subscription, message) {
  const from = message.from ?? message.offset;
  const expected = (subscription.offset ?? from - 1) + 1;
  if (from > expected) subscription.missing += from - expected;
  subscription.offset = Math.max(subscription.offset ?? 0, message.offset);
  subscription.events += 1;
}

/** @param {Subscription} subscription @returns {Record<string, unknown>} the message that asks for it, from where it is */
export function subscribeRequest({ topic, epoch, offset }) {
  return epoch === undefined
    ? { type: 'subscribe', topic }
    : { type: 'subscribe', topic, since: { epoch, offset } };
}
