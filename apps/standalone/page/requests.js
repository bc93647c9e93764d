/** A request that was not granted; `frame` is the server's `error` message, where there was one. */
export class RequestError extends Error {
  /** @param {string} message @param {any} [frame] */
  constructor(message, frame) {
    super(message);
    this.frame = frame;
  }
}

/**
 * @typedef {object} Waiting
 * @property {(answer: any) => void} resolve
 * @property {(error: RequestError) => void} reject
 * @property {ReturnType<typeof setTimeout>} timer
 */

/** Requests that wait for the answer with their `id`. */
export class Requests {
  #nextId = 1;
  /** @type {Map<number, Waiting>} */
  #waiting = new Map();

  /** @param {number} timeoutMs @returns {{id: number, answer: Promise<any>}} */
  open(timeoutMs) {
    const id = this.#nextId++;
    const answer = new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new RequestError('No answer in time.'));
      }, timeoutMs);
      this.#waiting.set(id, { resolve, reject, timer });
    });
    return { id, answer };
  }

  /** @param {any} message a frame from the server; one that answers nothing is left alone */
  settle(message) {
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    this.#waiting.delete(message.id);
    clearTimeout(waiting.timer);
    if (message.type === 'error') waiting.reject(new RequestError(message.message, message));
    else waiting.resolve(message);
  }

  /** @param {string} reason */
  rejectAll(reason) {
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(new RequestError(reason));
    }
    this.#waiting.clear();
  }
}
