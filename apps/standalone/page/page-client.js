import { connect } from './client/index.js';
import { FollowedTopic } from './followed-topic.js';
import { recordingSocket } from './recording-socket.js';

/**
 * @typedef {import('nestjs-live/client').LiveClient} LiveClient
 * @typedef {import('nestjs-live/client').Position} Position
 * @typedef {import('./followed-topic.js').Message} Message
 * @typedef {'closed' | 'connecting' | 'open' | 'waiting'} LinkState
 *
 * @typedef {object} LinkDetail
 * @property {number} [code]
 * @property {string} [reason]
 * @property {number} [delayMs]
 * @property {boolean} [refused] the handshake failed, and browsers hide the cause
 * @property {string} [instanceId]
 */

/**
 * Wraps a client of `nestjs-live/client`, which can be closed and opened again: a new client then
 * resumes every topic from its position. Events: `state`, `frame` (detail: Frame).
 */
export class PageClient extends EventTarget {
  /** @type {LinkState} */
  state = 'closed';
  /** @type {LinkDetail} */
  detail = {};
  /** @type {Map<string, FollowedTopic>} */
  topics = new Map();
  #url;
  /** @type {LiveClient | undefined} */
  #client;
  /** @type {Map<string, {unsubscribe(): void}>} */
  #subscriptions = new Map();
  /** @type {Map<string, {resolve: (answer: any) => void, reject: (error: any) => void}>} */
  #pending = new Map();

  /** @param {string} url */
  constructor(url) {
    super();
    this.#url = url;
  }

  /** Connects, and reconnects if necessary. @param {string} [token] the default is cookies */
  open(token) {
    this.#leave();
    const webSocket = recordingSocket((frame) => this.#record(frame));
    /** @type {LiveClient} */
    let client;
    try {
      client = connect(this.#url, { webSocket, ...(token && { credential: token }) });
    } catch (error) {
      this.#setState('closed', { reason: error instanceof Error ? error.message : String(error) });
      return;
    }
    this.#client = client;
    client.on('status', (status) => client === this.#client && this.#show(status));
    client.on('waiting', ({ topic, code, reason, delayMs }) => {
      const followed = this.topics.get(topic);
      if (followed) Object.assign(followed, { state: 'waiting', note: `${code}: ${reason}` });
      this.#fail(topic, new Error(`${code}: ${reason} (again in ${Math.round(delayMs)} ms)`));
    });
    // Each failure is shown with the request that caused it.
    client.on('error', () => {});
    this.#show(client.status);
    for (const followed of this.topics.values()) if (!followed.over) this.#resume(followed);
  }

  /** Closes the connection. Keeps the positions for a later `open`. */
  close() {
    this.#leave();
    this.#setState('closed', { code: 1000, reason: 'closed by you' });
  }

  /**
   * Follows a topic. Resolves with its position, or with `undefined` without a connection.
   * @param {string} topic
   * @param {(message: Message) => void} [listener]
   * @returns {Promise<Position | undefined>}
   */
  async subscribe(topic, listener) {
    const known = this.topics.get(topic);
    if (known && !known.over) return known.position;
    const followed = new FollowedTopic(topic, listener ?? known?.listener);
    if (this.state !== 'closed') this.#subscribe(followed);
    this.topics.set(topic, followed);
    if (this.state !== 'open') return undefined;
    return new Promise((resolve, reject) => this.#pending.set(topic, { resolve, reject }));
  }

  /** @param {string} topic @returns {boolean} whether the page followed the topic */
  unsubscribe(topic) {
    this.#subscriptions.get(topic)?.unsubscribe();
    this.#subscriptions.delete(topic);
    return this.topics.delete(topic);
  }

  /**
   * @param {string} topic
   * @param {unknown} data
   * @param {string} [key]
   * @returns {Promise<Position>}
   */
  async publish(topic, data, key) {
    if (!this.#client || this.state !== 'open') throw new Error('Not connected.');
    return this.#client.publish(topic, data, key ? { key } : {});
  }

  /** @param {FollowedTopic} followed a topic whose name no client has checked yet */
  #resume(followed) {
    try {
      this.#subscribe(followed);
    } catch (error) {
      Object.assign(followed, { state: 'refused', note: error instanceof Error ? error.message : error });
    }
  }

  /** @param {FollowedTopic} followed */
  #subscribe(followed) {
    const { topic, position } = followed;
    const accept = (/** @type {Message} */ message) => {
      if (this.topics.get(topic) !== followed) return;
      followed.accept(message);
      if (message.type === 'start') this.#pending.get(topic)?.resolve(message.position);
      if (message.type === 'end') this.#fail(topic, message.error ?? new Error('Closed.'));
      this.#pending.delete(topic);
    };
    const options = position ? { since: position } : {};
    const subscription = this.#client?.subscribe(topic, accept, options);
    if (subscription) this.#subscriptions.set(topic, subscription);
  }

  /** @param {string} topic @param {unknown} error */
  #fail(topic, error) {
    this.#pending.get(topic)?.reject(error);
    this.#pending.delete(topic);
  }

  /** @param {import('./recording-socket.js').Frame} frame */
  #record(frame) {
    const { direction, message } = frame;
    const followed = direction === 'in' && message.type === 'subscribed' && this.topics.get(message.topic);
    // The client reports no recovery, so the page counts them in the frames.
    if (followed && followed.position && message.recovered) followed.recoveries += 1;
    this.dispatchEvent(new CustomEvent('frame', { detail: frame }));
  }

  /** @param {import('nestjs-live/client').LiveStatus} status */
  #show(status) {
    const { state } = status;
    if (state === 'open') this.#setState(state, { instanceId: status.welcome.instanceId });
    else if (state === 'connecting') this.#setState(state, {});
    else {
      const { code, reason } = status;
      const delayMs = state === 'waiting' ? status.delayMs : undefined;
      this.#setState(state, { code, reason, delayMs, refused: code === 1006 && this.state === 'connecting' });
    }
  }

  #leave() {
    const client = this.#client;
    this.#client = undefined;
    this.#subscriptions.clear();
    client?.close();
  }

  /** @param {LinkState} state @param {LinkDetail} detail */
  #setState(state, detail) {
    Object.assign(this, { state, detail });
    for (const followed of this.topics.values()) {
      if (state !== 'open' && !followed.over) followed.state = 'waiting';
    }
    this.dispatchEvent(new CustomEvent('state'));
  }
}
