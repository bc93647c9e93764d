import { backoffMs, isTemporary, mayReconnect } from './backoff.js';
import { RequestError, Requests } from './requests.js';
import { subscribeRequest, Subscriptions } from './subscriptions.js';

/**
 * @typedef {import('./subscriptions.js').Subscription} Subscription
 * @typedef {'closed' | 'connecting' | 'open' | 'waiting'} ConnectionState
 * @typedef {{code?: number, reason?: string, retryInMs?: number, refused?: boolean}} StateDetail
 * `refused`: the handshake never became a socket; a browser does not tell why.
 * @typedef {{direction: 'in' | 'out', time: number, text: string, message: any}} Frame
 */

const [welcomeTimeoutMs, answerTimeoutMs, pongTimeoutMs] = [10_000, 15_000, 5_000];
const stableAfterMs = 5_000;

/**
 * One live connection that comes back by itself and continues its subscriptions where they were.
 * Events: `state`, `frame` (detail: Frame), `message` (detail: the parsed frame).
 */
export class LiveConnection extends EventTarget {
  subscriptions = new Subscriptions();
  /** @type {ConnectionState} */
  state = 'closed';
  /** @type {StateDetail} */
  detail = {};
  #url;
  #token = '';
  /** @type {WebSocket | undefined} */
  #socket;
  #attempt = 0;
  #requests = new Requests();
  /** @type {Record<string, ReturnType<typeof setTimeout>>} */
  #timers = {};
  #slotAt = 0;

  /** @param {string} url */
  constructor(url) {
    super();
    this.#url = url;
    addEventListener('online', () => this.#wake());
    document.addEventListener('visibilitychange', () => document.hidden || this.#wake());
  }

  /** Connects, and stays connected. @param {string} [token] without it, cookies must do */
  open(token = this.#token) {
    this.#token = token;
    this.#attempt = 0;
    this.#abandon();
    this.#connect();
  }

  /** Closes for good; positions are kept for a later `open`. */
  close() {
    this.#socket?.close(1000, 'closed by the user');
    this.#abandon();
    this.#setState('closed', { code: 1000, reason: 'closed by you' });
  }

  /** @param {string} topic @returns {Promise<any>} the answer; undefined while not connected: it is asked for later */
  async subscribe(topic) {
    const subscription = this.subscriptions.want(topic);
    return this.state === 'open' ? this.#ask(subscription) : undefined;
  }

  /** @param {string} topic */
  async unsubscribe(topic) {
    this.subscriptions.forget(topic);
    return this.state === 'open' ? this.#request({ type: 'unsubscribe', topic }) : undefined;
  }

  /** @param {string} topic @param {unknown} data @param {string} [key] */
  async publish(topic, data, key) {
    return this.#request({ type: 'publish', topic, data, ...(key ? { key } : {}) });
  }

  #connect() {
    clearTimeout(this.#timers.retry);
    const protocols = this.#token ? ['live.v1', `bearer.${this.#token}`] : ['live.v1'];
    /** @type {WebSocket} */
    let socket;
    try {
      socket = new WebSocket(this.#url, protocols);
    } catch {
      this.#setState('closed', { reason: 'the token holds a character that a subprotocol cannot carry' });
      return;
    }
    this.#socket = socket;
    this.#setState('connecting');
    this.#timers.welcome = setTimeout(() => this.#closed(1006, 'no welcome in time'), welcomeTimeoutMs);
    socket.addEventListener('message', ({ data }) => socket === this.#socket && this.#receive(data));
    socket.addEventListener(
      'close',
      ({ code, reason }) => socket === this.#socket && this.#closed(code, reason),
    );
  }

  /** @param {string} text */
  #receive(text) {
    const message = JSON.parse(text);
    this.#emit('frame', { direction: 'in', time: Date.now(), text, message });
    if (message.type === 'welcome') this.#welcomed();
    if (message.type === 'draining') this.#moveLater(message.reconnectAfterMs);
    this.subscriptions.accept(message);
    this.#requests.settle(message);
    this.#emit('message', message);
  }

  #welcomed() {
    clearTimeout(this.#timers.welcome);
    this.#timers.stable = setTimeout(() => (this.#attempt = 0), stableAfterMs);
    this.#setState('open');
    for (const subscription of this.subscriptions.waiting()) this.#ask(subscription).catch(() => {});
  }

  /** @param {Subscription} subscription @returns {Promise<any>} */
  async #ask(subscription) {
    subscription.state = 'asking';
    try {
      return await this.#request(subscribeRequest(subscription));
    } catch (error) {
      const { frame } = /** @type {RequestError} */ (error);
      if (frame && this.subscriptions.has(subscription)) this.#refused(subscription, frame);
      throw error;
    }
  }

  /** @param {Subscription} subscription @param {any} frame */
  #refused(subscription, frame) {
    subscription.note = `${frame.code}: ${frame.message}`;
    subscription.state = isTemporary(frame.code) ? 'waiting' : 'refused';
    if (subscription.state === 'refused') return;
    const again = () => {
      const wanted = this.state === 'open' && subscription.state === 'waiting';
      if (wanted && this.subscriptions.has(subscription)) this.#ask(subscription).catch(() => {});
    };
    setTimeout(again, frame.retryAfterMs ?? 1000 + backoffMs(3));
  }

  /** @param {Record<string, unknown>} message @param {number} [timeoutMs] @returns {Promise<any>} */
  #request(message, timeoutMs = answerTimeoutMs) {
    const socket = this.#socket;
    if (this.state !== 'open' || !socket) return Promise.reject(new RequestError('Not connected.'));
    const { id, answer } = this.#requests.open(timeoutMs);
    const { type, ...rest } = message;
    const sent = { type, id, ...rest };
    const text = JSON.stringify(sent);
    this.#emit('frame', { direction: 'out', time: Date.now(), text, message: sent });
    socket.send(text);
    return answer;
  }

  /** Leaves in the slot that the server gave, also where it closes before. @param {number} afterMs */
  #moveLater(afterMs) {
    this.#slotAt = Date.now() + afterMs;
    this.#timers.slot = setTimeout(() => this.open(), afterMs);
  }

  /** After sleep or a new network: try at once, or check that the link still answers. */
  #wake() {
    if (this.state === 'waiting') return this.#connect();
    if (this.state !== 'open') return;
    const socket = this.#socket;
    const silent = (/** @type {RequestError} */ { frame }) =>
      !frame && socket === this.#socket && this.#closed(1006, 'no pong');
    this.#request({ type: 'ping' }, pongTimeoutMs).catch(silent);
  }

  /** @param {number} code @param {string} reason */
  #closed(code, reason) {
    const refused = this.state === 'connecting' && code === 1006;
    const slotMs = this.#slotAt - Date.now();
    this.#abandon();
    if (!mayReconnect(code)) return this.#setState('closed', { code, reason });
    const retryInMs = slotMs > 0 ? slotMs : backoffMs(this.#attempt++);
    this.#timers.retry = setTimeout(() => this.#connect(), retryInMs);
    this.#setState('waiting', { code, reason, retryInMs, refused });
  }

  /** Lets go of the socket, whatever state it is in: a dead one may take minutes to say so. */
  #abandon() {
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    const socket = this.#socket;
    this.#socket = undefined;
    this.#slotAt = 0;
    socket?.close();
    this.#requests.rejectAll('The connection closed before the answer came.');
    this.subscriptions.interrupt();
  }

  /** @param {ConnectionState} state @param {StateDetail} [detail] */
  #setState(state, detail = {}) {
    Object.assign(this, { state, detail });
    this.#emit('state', detail);
  }

  #emit(/** @type {string} */ name, /** @type {unknown} */ detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
