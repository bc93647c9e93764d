/**
 * Keeps publications over a reload of the page.
 *
 * @packageDocumentation
 * @module nestjs-live/kept-queue
 */
import type { KeptPublish, PublishStore } from './publish-queue.options.js';

/** Options of `keptQueue`. */
export interface KeptQueueOptions {
  /** Id of the user who publishes, as the server knows it. */
  readonly user: string;
  /**
   * Name of the database.
   * @default 'nestjs-live'
   */
  readonly database?: string | undefined;
  /**
   * Called when the browser cannot keep a publication, for instance because its disk is full. It is
   * sent all the same.
   */
  readonly onError?: ((error: unknown) => void) | undefined;
}

export type { KeptPublish, PublishStore };

interface Row extends KeptPublish {
  readonly user: string;
  /** The page that keeps it. Another one takes it over when that page is gone. */
  readonly page: string;
}

// The parts of IndexedDB and of Web Locks that are used. The types of the DOM are not loaded here.

interface Request<T> {
  readonly result: T;
  readonly error: unknown;
  addEventListener(type: 'success' | 'error' | 'upgradeneeded', listener: () => void): void;
}
interface Store {
  put(row: Row): Request<unknown>;
  delete(key: string): Request<unknown>;
  getAll(): Request<Row[]>;
}
interface Database {
  createObjectStore(name: string, options: { readonly keyPath: string }): void;
  transaction(name: string, mode: 'readonly' | 'readwrite'): { objectStore(name: string): Store };
}
interface Browser {
  readonly indexedDB: { open(name: string, version: number): Request<Database> };
  readonly navigator?: {
    readonly locks?: {
      request(
        name: string,
        options: { readonly ifAvailable: true },
        run: (lock: object | null) => Promise<void> | undefined,
      ): Promise<unknown>;
    };
  };
}

const browser = globalThis as unknown as Browser;
const table = 'publications';

function done<T>(request: Request<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error as Error));
  });
}

/** Holds a lock until the page is gone. Returns whether nobody else holds it. */
function hold(name: string): Promise<boolean> {
  const locks = browser.navigator?.locks;
  if (locks === undefined) return Promise.resolve(true);
  return new Promise((resolve, reject) => {
    const held = locks.request(name, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock === null ? undefined : new Promise(() => {});
    });
    held.catch(reject);
  });
}

/**
 * Keeps the waiting publications of a user in IndexedDB, so that a reload of the page does not lose
 * them: `connect(url, { queue: { store: keptQueue({ user: 'ann' }) } })`. Several pages may use one
 * database: each sends what it has published itself, and what pages that are gone have left.
 */
export function keptQueue({
  user,
  database = 'nestjs-live',
  onError = () => {},
}: KeptQueueOptions): PublishStore {
  const page = `${database} ${Date.now().toString(36)}${Math.random().toString(36).slice(2)}`;
  let opened: Promise<Database> | undefined;
  const open = (): Promise<Database> => {
    const request = browser.indexedDB.open(database, 1);
    request.addEventListener('upgradeneeded', () =>
      request.result.createObjectStore(table, { keyPath: 'key' }),
    );
    return done(request);
  };
  const use = async <T>(mode: 'readonly' | 'readwrite', what: (store: Store) => Request<T>): Promise<T> => {
    const db = await (opened ??= open());
    return done(what(db.transaction(table, mode).objectStore(table)));
  };
  const write = (what: (store: Store) => Request<unknown>): void =>
    void use('readwrite', what).catch(onError);
  return {
    user,
    async load() {
      await hold(page);
      const free = new Map([[page, true]]);
      const kept: Row[] = [];
      for (const row of await use('readonly', (store) => store.getAll())) {
        if (row.user !== user) continue;
        const isFree = free.get(row.page) ?? (await hold(row.page));
        free.set(row.page, isFree);
        if (isFree) kept.push(row);
      }
      return kept.toSorted((one, other) => one.atMs - other.atMs);
    },
    put: (kept) => write((store) => store.put({ ...kept, user, page })),
    delete: (key) => write((store) => store.delete(key)),
  };
}
