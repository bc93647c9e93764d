import type { ServerMessage, WelcomeMessage } from '../../src/protocol/messages.js';
import {
  connect,
  type EndMessage,
  type LiveClient,
  type LiveClientOptions,
  type TopicMessage,
  type WebSocketConstructor,
} from '../../src/client/index.js';
import type { Cancel, Platform, PlatformEvents } from '../../src/client/platform.js';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

/** One message to the application as one line of text. */
export function line(message: TopicMessage | EndMessage): string {
  if (message.type === 'end')
    return `end ${message.topic}${message.error ? ` ${String(message.error)}` : ''}`;
  const at = `${message.topic}@${message.position.epoch}:${String(message.position.offset)}`;
  if (message.type === 'event') {
    const range = message.from === message.position.offset ? '' : ` from ${String(message.from)}`;
    return `event ${at}${range} ${JSON.stringify(message.data)}${message.key === undefined ? '' : ` key ${message.key}`}`;
  }
  const snapshot = 'snapshot' in message ? ` snapshot ${JSON.stringify(message.snapshot)}` : '';
  if (message.type === 'start') return `start ${at}${message.recovered ? ' recovered' : ''}${snapshot}`;
  const range =
    message.count === undefined
      ? ''
      : ` ${String(message.from)}-${String(message.to)} (${String(message.count)})`;
  return `lost ${message.reason}${range} ${at}${snapshot}`;
}

/** The server's end of a fake WebSocket. */
export class FakePeer {
  #listeners = new Map<string, (event: never) => void>();
  /** Set once this client has closed it. */
  closed = false;

  constructor(
    private readonly world: World,
    readonly url: string,
    readonly protocols: readonly string[],
  ) {}

  listen(type: string, listener: (event: never) => void): void {
    this.#listeners.set(type, listener);
  }

  open(): void {
    this.emit('open', {});
  }

  /** Opens the socket and sends the welcome. */
  async welcome(extra: Partial<WelcomeMessage> = {}): Promise<void> {
    this.open();
    await this.tell({
      type: 'welcome',
      connectionId: 'c',
      instanceId: 'i',
      user: null,
      // Pings of a silent link would disturb tests of other things.
      limits: { maxMessageBytes: 65_536, maxTopics: 128, pingIntervalMs: 1e12 },
      ...extra,
    });
  }

  /** Sends every frame at once, then runs everything that follows from them. */
  async tell(...messages: readonly (ServerMessage | Record<string, unknown>)[]): Promise<void> {
    for (const message of messages) {
      if (message.type !== 'welcome') this.world.log.push(`< ${JSON.stringify(message)}`);
      this.emit('message', { data: JSON.stringify(message) });
    }
    await settle();
  }

  async text(data: unknown): Promise<void> {
    this.emit('message', { data });
    await settle();
  }

  /** Closes the socket from the server's side. Before `open`, refuses it. */
  async end(code = 1006, reason = ''): Promise<void> {
    this.emit('error', { message: 'broken' });
    this.emit('close', { code, reason });
    await settle();
  }

  private emit(type: string, event: unknown): void {
    this.#listeners.get(type)?.(event as never);
  }
}

/** Time, chance, network and page of a client under test. Nothing happens unless a test does it. */
export class World {
  /** What went over the wire and what the application saw, in order. */
  readonly log: string[] = [];
  readonly peers: FakePeer[] = [];
  /** The result of `random`. */
  chance = 0.5;
  nowMs = 1_700_000_000_000;
  /** Offset of the wall clock of this machine from the real time. */
  skewMs = 0;
  readonly #timers = new Set<Timer>();
  readonly #listeners = new Set<PlatformEvents>();
  #order = 0;

  readonly platform: Platform = {
    now: () => this.nowMs - 1_699_000_000_000,
    wallMs: () => this.nowMs + this.skewMs,
    random: () => this.chance,
    setTimer: (run, delayMs) => this.#setTimer(run, delayMs),
    listen: (events) => {
      this.#listeners.add(events);
      return () => this.#listeners.delete(events);
    },
  };

  readonly WebSocket: WebSocketConstructor = this.#webSocket();

  get timerCount(): number {
    return this.#timers.size;
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  /** The newest connection. */
  get peer(): FakePeer {
    const peer = this.peers.at(-1);
    if (peer === undefined) throw new Error('No client has connected yet');
    return peer;
  }

  /** A client that logs its states. */
  async client<M extends object = Record<string, unknown>>(
    options: LiveClientOptions = {},
  ): Promise<LiveClient<M>> {
    const client = connect<M>('ws://live.test/live', {
      platform: this.platform,
      webSocket: this.WebSocket,
      ...options,
    });
    client.on('status', (status) => {
      const more =
        status.state === 'waiting'
          ? ` ${String(Math.round(status.delayMs))} after ${String(status.code)} ${status.reason}`
          : status.state === 'closed'
            ? ` ${String(status.code)} ${status.reason}`
            : '';
      this.log.push(`status ${status.state}${more}`);
    });
    client.on('error', (error) => this.log.push(`error ${String(error)}`));
    client.on('waiting', ({ topic, code, delayMs }) =>
      this.log.push(`waiting ${topic} ${String(Math.round(delayMs))} after ${code}`),
    );
    await settle();
    return client;
  }

  /** A client that has been welcomed. The log starts after the welcome. */
  async openClient<M extends object = Record<string, unknown>>(
    options?: LiveClientOptions,
  ): Promise<LiveClient<M>> {
    const client = await this.client<M>(options);
    await this.peer.welcome();
    this.take();
    return client;
  }

  /** Logs what a subscription delivers to the application. */
  readonly app = (message: TopicMessage | EndMessage): void => void this.log.push(line(message));

  /** The log since the last call. */
  take(): string[] {
    return this.log.splice(0);
  }

  settle(): Promise<void> {
    return settle();
  }

  /** Advances the time and runs each timer when it is due. */
  async advance(ms: number): Promise<void> {
    const end = this.nowMs + ms;
    await settle();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#timers.delete(next);
      this.nowMs = Math.max(this.nowMs, next.at);
      next.run();
      await settle();
    }
    this.nowMs = end;
  }

  /** Suspends the machine: everything that is due runs late, at the end. */
  async sleep(ms: number): Promise<void> {
    this.nowMs += ms;
    await this.advance(0);
  }

  async online(): Promise<void> {
    for (const { back } of this.#listeners) back();
    await settle();
  }

  /** The window of the page gets the focus. */
  async focused(): Promise<void> {
    for (const { focus } of this.#listeners) focus();
    await settle();
  }

  async visible(): Promise<void> {
    for (const { back } of this.#listeners) back();
    await settle();
  }

  /** Puts the page into the back/forward cache. */
  async cached(): Promise<void> {
    for (const { cached } of this.#listeners) cached();
    await settle();
  }

  #next(end: number): Timer | undefined {
    return [...this.#timers]
      .filter(({ at }) => at <= end)
      .toSorted((a, b) => a.at - b.at || a.order - b.order)[0];
  }

  #setTimer(run: () => void, delayMs: number): Cancel {
    if (!(delayMs >= 0 && delayMs <= 2_147_483_647)) throw new Error(`A timer of ${String(delayMs)} ms`);
    const timer = { at: this.nowMs + delayMs, order: (this.#order += 1), run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  #webSocket(): WebSocketConstructor {
    const { log, peers } = this;
    const dialled = (peer: FakePeer): void => {
      peers.push(peer);
      log.push(`dial ${peer.protocols.join(', ')}`);
    };
    const world = this as World;
    return class {
      readonly #peer: FakePeer;

      constructor(url: string, protocols: string[]) {
        this.#peer = new FakePeer(world, url, protocols);
        dialled(this.#peer);
      }

      addEventListener(type: string, listener: (event: never) => void): void {
        this.#peer.listen(type, listener);
      }

      send(text: string): void {
        if (this.#peer.closed) throw new Error('Sent on a closed socket');
        log.push(`> ${text}`);
      }

      close(code?: number, reason?: string): void {
        this.#peer.closed = true;
        log.push(`close ${String(code)} ${String(reason)}`);
      }
    };
  }
}
