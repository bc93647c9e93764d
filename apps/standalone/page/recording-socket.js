/** @typedef {{direction: 'in' | 'out', time: number, text: string, message: any}} Frame */

/**
 * The browser's WebSocket, but every frame is also recorded for the log.
 * @param {(frame: Frame) => void} record
 */
export function recordingSocket(record) {
  const note = (/** @type {'in' | 'out'} */ direction, /** @type {string} */ text) =>
    record({ direction, time: Date.now(), text, message: JSON.parse(text) });
  return class extends WebSocket {
    /** @param {string} url @param {string[]} protocols */
    constructor(url, protocols) {
      super(url, protocols);
      this.addEventListener('message', ({ data }) => note('in', data));
    }

    /** @param {string} text */
    send(text) {
      note('out', text);
      super.send(text);
    }
  };
}
