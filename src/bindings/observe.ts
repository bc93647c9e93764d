import type { Store } from './store.js';

/** Calls `run` with the value now and each later one, until the returned function is called. */
export function observe<Value>(store: Store<Value>, run: (value: Value) => void): () => void {
  let last: Value;
  const stop = store.subscribe(() => {
    const now = store.get();
    if (now !== last) run((last = now));
  });
  // Read after it has been opened, which may have failed.
  run((last = store.get()));
  return stop;
}
