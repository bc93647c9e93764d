/**
 * @typedef {import('nestjs-live/client').TopicMessage} TopicMessage
 * @typedef {TopicMessage | import('nestjs-live/client').EndMessage} Message
 * @typedef {import('nestjs-live/client').Position} Position
 * @typedef {'waiting' | 'live' | 'refused' | 'ended'} TopicState
 */

/** A topic that the page follows: its position, and counts of what the client delivers. */
export class FollowedTopic {
  /** @type {TopicState} */
  state = 'waiting';
  /** @type {Position | undefined} the last one; the next client resumes from it */
  position;
  events = 0;
  /** Offsets that neither arrived nor were reported lost. Must stay 0. */
  missing = 0;
  /** Offsets that were reported lost. */
  lost = 0;
  /** Reconnects without a gap. */
  recoveries = 0;
  /** Number of times that the server started the topic over. */
  restarts = 0;
  /** The reason why it was refused, has ended or waits. */
  note = '';

  /** @param {string} topic @param {((message: Message) => void) | undefined} listener */
  constructor(topic, listener) {
    this.topic = topic;
    this.listener = listener;
  }

  get over() {
    return this.state === 'refused' || this.state === 'ended';
  }

  /** @param {Message} message */
  accept(message) {
    if (message.type === 'start') this.#start(message);
    if (message.type === 'event') this.#advance(message.from, message.position);
    if (message.type === 'lost') this.#lose(message);
    if (message.type === 'end') this.#end(message.error);
    this.listener?.(message);
  }

  /** @param {{position: Position, recovered: boolean}} message */
  #start({ position, recovered }) {
    this.state = 'live';
    this.note = '';
    if (recovered && this.position) return;
    if (this.position) this.restarts += 1;
    this.position = position;
  }

  /** @param {number} from @param {Position} position */
  #advance(from, position) {
    const expected = (this.position?.offset ?? from - 1) + 1;
    if (from > expected) this.missing += from - expected;
    this.position = position;
    this.events += 1;
  }

  /** @param {{reason: string, position: Position, count?: number}} message */
  #lose({ reason, position, count }) {
    if (reason === 'unrecovered' || reason === 'new-epoch') this.restarts += 1;
    this.lost += count ?? 0;
    this.position = position;
  }

  /** @param {any} error `closed` ends nothing, since the page may open another client */
  #end(error) {
    if (!error || error.code === 'closed') return;
    this.state = this.position ? 'ended' : 'refused';
    this.note = error.code ? `${error.code}: ${error.message}` : error.message;
  }
}
