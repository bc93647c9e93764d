/**
 * A panel in the console of the page, for development. A separate entry: pages that do not import
 * it do not load it.
 *
 * @packageDocumentation
 * @module nestjs-live/client/debug
 */
import { type DebugMessage, type DebugTopic, now, Recorder } from './debug-recorder.js';
import type { LiveClient } from './live-client.js';
import type { IterateOptions, SubscribeOptions } from './live-client.options.js';
import type { LiveStatus } from './status.js';
import type { IterableSubscription, Subscription } from './subscription.js';
import type { EndMessage, TopicMessage } from './topic-messages.js';

export type { DebugMessage, DebugTopic } from './debug-recorder.js';

/** What the panel shows. */
export interface DebugReport {
  /** State of the connection, ids from the welcome, and how many connections there were. */
  readonly connection: Readonly<Record<string, unknown>>;
  /** The topics that were subscribed to. */
  readonly topics: Readonly<Record<string, DebugTopic>>;
  /** The last messages, the newest last. */
  readonly messages: readonly DebugMessage[];
}

/** Options of `debug`. */
export interface DebugOptions {
  /**
   * Name of the global object whose `debug()` shows the panel.
   * @default 'live'
   */
  readonly name?: string | undefined;
  /**
   * Number of messages that are kept.
   * @default 50
   */
  readonly messages?: number | undefined;
}

/** A panel. */
export interface DebugPanel {
  /** Prints tables of the connection, the topics and the last messages, and returns them. */
  debug(): DebugReport;
  /** Records nothing more. */
  stop(): void;
}

type Listener = (message: TopicMessage | EndMessage) => void;

/**
 * Records what a client does, and makes `live.debug()` in the console of the page show it. Call it
 * right after `connect`: it sees the subscriptions that are made after it. It shows no credential,
 * and hides values of publications that look like a secret. It counts as use, and connects.
 */
export function debug<TopicMap extends object, RequestMap extends object>(
  client: LiveClient<TopicMap, RequestMap>,
  { name = 'live', messages = 50 }: DebugOptions = {},
): DebugPanel {
  const untyped = client as unknown as LiveClient;
  const recorder = new Recorder(messages);
  let [connections, since] = [0, now()];
  const seen = (status: LiveStatus): void => {
    since = now();
    if (status.state === 'open') connections += 1;
  };
  const cancels = [client.on('status', seen), client.on('waiting', (it) => recorder.waiting(it))];
  if (client.state === 'open') connections = 1;
  record(untyped, recorder);
  const report = (): DebugReport => {
    const { topics, messages: last } = recorder;
    const connection = { ...connectionOf(client.status), since, connections };
    return { connection, topics: Object.fromEntries(topics), messages: [...last] };
  };
  const panel: DebugPanel = {
    debug() {
      const all = report();
      for (const table of Object.values(all)) console.table(table);
      return all;
    },
    stop() {
      for (const cancel of cancels) cancel();
      for (const method of ['subscribe', 'publish', 'request'] as const)
        delete (client as Partial<typeof client>)[method];
      if (target['debug'] === panel.debug) delete target['debug'];
    },
  };
  const target = ((globalThis as Record<string, unknown>)[name] ??= {}) as Record<string, unknown>;
  target['debug'] = panel.debug;
  return panel;
}

function connectionOf(status: LiveStatus): Record<string, unknown> {
  if (status.state !== 'open') return { ...status };
  const { connectionId, instanceId, user, expiresAt } = status.welcome;
  return { state: 'open', connectionId, instanceId, user: user?.id, expiresAt };
}

/** Puts methods before those of the client, which `stop` takes away again. */
function record(client: LiveClient, recorder: Recorder): void {
  const subscribe = client.subscribe.bind(client) as (
    topic: string,
    first?: Listener | IterateOptions,
    options?: SubscribeOptions,
  ) => Subscription | IterableSubscription<TopicMessage>;
  const [publish, request] = [client.publish.bind(client), client.request.bind(client)];

  const recorded: typeof subscribe = (topic, first, options) => {
    const entry = recorder.topic(topic);
    let isOver = false;
    const over = (): void => {
      if (!isOver) entry.subscriptions -= 1;
      isOver = true;
    };
    const see: Listener = (message) => {
      if (message.type !== 'end') return recorder.message(message);
      over();
      recorder.ended(topic, message.error);
    };
    const listener = (message: TopicMessage | EndMessage): void => {
      see(message);
      (first as Listener)(message);
    };
    const made = subscribe(topic, typeof first === 'function' ? listener : first, options);
    entry.subscriptions += 1;
    if (Symbol.asyncIterator in made) watch(made[Symbol.asyncIterator](), see, topic);
    const unsubscribe = (): void => {
      over();
      made.unsubscribe();
    };
    return { ...made, unsubscribe };
  };

  const outcome = <Result>(type: string, topic: string | undefined, data: unknown, key: string | undefined) =>
    [
      (result: Result) =>
        recorder.note(type, topic, (result as { offset?: number } | null)?.offset, key, data),
      (error: { code?: string }) => recorder.note(type, topic, error.code ?? String(error), key, data),
    ] as const;

  const own = client as unknown as Record<string, unknown>;
  own['subscribe'] = recorded;
  own['publish'] = (topic: string, data: never, options?: { readonly key?: string }) => {
    const result = publish(topic, data, options);
    void result.then(...outcome('publish', topic, data, options?.key));
    return result;
  };
  own['request'] = (type: string, ...rest: [never]) => {
    const result = request(type, ...rest);
    void result.then(...outcome(type, undefined, rest[0], undefined));
    return result;
  };
}

/** Messages are seen when the application reads them. */
function watch(iterator: AsyncIterator<TopicMessage, undefined>, see: Listener, topic: string): void {
  const next = iterator.next.bind(iterator);
  iterator.next = async () => {
    const result = await next().catch((error: Error) => {
      see({ type: 'end', topic, error });
      throw error;
    });
    see(result.done ? { type: 'end', topic } : result.value);
    return result;
  };
}
