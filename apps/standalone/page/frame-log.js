import { byId, element, setText } from './dom.js';
import { bytes, clock } from './format.js';

const maxFrames = 300;
const alarming = new Set(['error', 'lost', 'draining']);
const encoder = new TextEncoder();

/** @typedef {import('./recording-socket.js').Frame} Frame */

/** Frames as sent and received, newest first. They are only ever set as text. */
class FrameLog {
  #list = byId('frame-log', HTMLOListElement);
  #filter = byId('frame-filter', HTMLInputElement);
  #pause = byId('frame-pause', HTMLButtonElement);
  #count = byId('frame-count', HTMLElement);
  /** @type {Frame[]} the newest is last */
  #frames = [];
  /** @type {Frame[] | undefined} frames that arrived during a pause */
  #held;

  constructor() {
    this.#filter.addEventListener('input', () => this.#showAll());
    this.#pause.addEventListener('click', () => this.#togglePause());
    byId('frame-clear', HTMLButtonElement).addEventListener('click', () => {
      this.#frames = [];
      if (this.#held) this.#held = [];
      this.#showAll();
    });
  }

  /** @param {Frame} frame */
  add(frame) {
    if (this.#held) {
      this.#held = [...this.#held, frame].slice(-maxFrames);
    } else {
      this.#frames.push(frame);
      if (this.#frames.length > maxFrames) this.#frames.shift();
      if (this.#matches(frame)) this.#list.prepend(row(frame));
      while (this.#list.childElementCount > maxFrames) this.#list.lastElementChild?.remove();
    }
    this.#showCount();
  }

  #togglePause() {
    this.#pause.setAttribute('aria-pressed', String(!this.#held));
    setText(this.#pause, this.#held ? 'Pause' : 'Resume');
    if (this.#held) {
      this.#frames = [...this.#frames, ...this.#held].slice(-maxFrames);
      this.#held = undefined;
      this.#showAll();
    } else {
      this.#held = [];
    }
    this.#showCount();
  }

  /** @param {Frame} frame */
  #matches(frame) {
    return frame.text.toLowerCase().includes(this.#filter.value.trim().toLowerCase());
  }

  #showAll() {
    const shown = this.#frames.filter((frame) => this.#matches(frame));
    this.#list.replaceChildren(...shown.toReversed().map(row));
    this.#showCount();
  }

  #showCount() {
    const shown = this.#list.childElementCount;
    const total = this.#frames.length;
    const part = shown === total ? `${total}` : `${shown} of ${total}`;
    setText(this.#count, this.#held ? `${part}, paused, ${this.#held.length} waiting` : part);
  }
}

/** @param {Frame} frame */
function row({ direction, time, text, message }) {
  const incoming = direction === 'in';
  const type = String(message.type ?? 'unknown');
  const summary = element(
    'summary',
    {},
    element('span', { class: 'way', 'aria-hidden': 'true' }, incoming ? '↓' : '↑'),
    element('span', { class: 'sr' }, incoming ? 'received ' : 'sent '),
    element('span', { class: alarming.has(type) ? 'type alarm' : 'type' }, type),
    element('span', { class: 'topic' }, String(message.topic ?? message.code ?? '')),
    element('span', { class: 'size' }, bytes(encoder.encode(text).length)),
    element('time', {}, clock(time)),
  );
  const details = element('details', { 'data-direction': direction, 'data-type': type }, summary);
  details.addEventListener(
    'toggle',
    () => details.append(element('pre', { tabindex: '0' }, JSON.stringify(message, undefined, 2))),
    { once: true },
  );
  return element('li', {}, details);
}

/**
 * @param {import('./page-client.js').PageClient} connection
 * @param {(topic: string) => boolean} inBackground for topics that only the page itself needs
 */
export function startFrameLog(connection, inBackground) {
  const log = new FrameLog();
  const background = byId('frame-background', HTMLInputElement);
  connection.addEventListener('frame', (event) => {
    const frame = /** @type {CustomEvent<Frame>} */ (event).detail;
    if (frame.message.type === 'event' && inBackground(frame.message.topic) && !background.checked) return;
    log.add(frame);
  });
}
