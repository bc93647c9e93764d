import { browser } from './browser.js';
import { Group } from './group.js';

interface Port {
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  start(): void;
}

/** The scope of a shared worker. */
interface WorkerScope {
  addEventListener(type: 'connect', listener: (event: { readonly ports: readonly Port[] }) => void): void;
}

/**
 * The whole program of a shared worker that leads the tabs: each tab that starts it names the group
 * that it belongs to. Call it once, when the worker's script runs.
 */
export function serveTabs(): void {
  const platform = browser();
  if (platform === undefined) return;
  const groups = new Map<string, Group>();
  const join = (name: unknown): void => {
    if (typeof name !== 'string' || groups.has(name)) return;
    groups.set(name, new Group(name, platform, () => groups.delete(name)));
  };
  (globalThis as unknown as WorkerScope).addEventListener('connect', ({ ports: [port] }) => {
    port?.addEventListener('message', ({ data }) => join(data));
    port?.start();
  });
}
