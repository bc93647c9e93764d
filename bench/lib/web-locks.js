/**
 * A stand-in for the Web Locks of browsers, for the tabs of one process. A lock is held until the
 * promise of `held` settles.
 */
export class WebLocks {
  /** The callbacks that hold a lock or wait for it, in order. */
  #queues = new Map();

  /** @param {{ steal?: boolean, signal?: AbortSignal }} options */
  request(name, { steal = false, signal }, held) {
    return new Promise((resolve, reject) => {
      const queue = this.#queues.get(name) ?? [];
      this.#queues.set(name, queue);
      const leave = () => {
        const place = queue.indexOf(request);
        if (place < 0) return;
        queue.splice(place, 1);
        if (queue.length === 0) this.#queues.delete(name);
        else if (place === 0) queue[0].run();
      };
      const request = {
        run: () => {
          request.runs = true;
          Promise.resolve(held()).then(resolve, reject).finally(leave);
        },
        runs: false,
        stolen: () => {
          queue.shift();
          reject(new DOMException('The lock was stolen', 'AbortError'));
        },
      };
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener('abort', () => {
        if (request.runs) return;
        leave();
        reject(signal.reason);
      });
      if (steal && queue[0]?.runs) queue[0].stolen();
      if (steal) queue.unshift(request);
      else queue.push(request);
      // As in a browser, a request is granted after the call.
      if (queue[0] === request) queueMicrotask(() => queue[0] === request && request.run());
    });
  }
}
