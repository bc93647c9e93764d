import type { ClientEnd, SimLink } from './sim-link.js';

/** Time after which a client need not wait for a topic: the time limit of its requests. */
export const waitMs = 1_500;

interface Message {
  readonly type: string;
  readonly id?: unknown;
  readonly topic?: string;
  readonly topics?: readonly (string | { readonly topic: string })[];
  readonly recovered?: boolean;
  readonly pages?: true;
  readonly last?: true;
}

/** The client's end of one of its connections. */
type Own = Pick<SimLink, 'send' | 'leave'>;

interface State {
  welcomedMs: number;
  /** Topics with a subscription, as far as the client knows. */
  readonly has: Set<string>;
  /** Topics whose subscribe is not answered. */
  readonly asked: Set<string>;
  /** Topics whose answer comes in pages. */
  readonly answering: Set<string>;
}

/**
 * Watches a client that changes connections. It leaves the old one when the next one has answered
 * every topic, not earlier. [L-10.7]
 */
export class HandoverChecker {
  /** Welcomed connections that the client has neither left nor lost, in order. */
  private readonly open: State[] = [];
  /** Topics that the newest connection has to answer first. */
  private owed = new Set<string>();

  constructor(
    private readonly now: () => number,
    /** Whether the application reads the topic. */
    private readonly reads: (topic: string) => boolean,
    private readonly tell: (text: string) => void,
  ) {}

  /** More than one at rest means that the client forgot to leave one. */
  get openCount(): number {
    return this.open.length;
  }

  /** Wraps both directions of a new connection. */
  watch(end: ClientEnd, dial: (end: ClientEnd) => SimLink): Own {
    const state: State = { welcomedMs: 0, has: new Set(), asked: new Set(), answering: new Set() };
    const link = dial({
      opened: () => end.opened(),
      message: (text) => {
        this.received(state, JSON.parse(text) as Message);
        end.message(text);
      },
      closed: (code, reason) => {
        this.ended(state);
        end.closed(code, reason);
      },
    });
    return {
      send: (text) => {
        this.sent(state, JSON.parse(text) as Message);
        link.send(text);
      },
      leave: (code, reason) => {
        this.left(state, reason);
        link.leave(code, reason);
      },
    };
  }

  /** The application has left the topic. */
  release(topic: string): void {
    this.owed.delete(topic);
    for (const { has } of this.open) has.delete(topic);
  }

  private received(state: State, { type, id, topic = '', recovered, pages, last }: Message): void {
    if (type === 'welcome') this.welcomed(state);
    if (pages === true && id !== undefined) state.answering.add(topic);
    // A snapshot in pages is answered with the last of them, also if a loss begins them again.
    const isPushed = type === 'lost' || pages === true || (recovered === true && id === undefined);
    if (isPushed && state.answering.has(topic)) return;
    const isStart = type === 'subscribed' || last === true;
    if (!isStart && !/^(unsubscribed|lost|error)$/.test(type)) return;
    if (isStart) state.has.add(topic);
    else if (type !== 'lost') state.has.delete(topic);
    if (state.answering.delete(topic) || id !== undefined) state.asked.delete(topic);
    // The old connection no longer counts for a topic when it says anything but an event.
    this.owed.delete(topic);
    if (type === 'error' && topic === '') this.owed.clear();
  }

  private welcomed(state: State): void {
    state.welcomedMs = this.now();
    const before = this.open.at(-1);
    const has = [...(before?.has ?? [])].filter((topic) => before?.asked.has(topic) !== true);
    this.owed = new Set(has.filter(this.reads));
    this.open.push(state);
  }

  private sent(state: State, { type, topic, topics = topic === undefined ? [] : [topic] }: Message): void {
    if (type !== 'subscribe') return;
    for (const each of topics) state.asked.add(typeof each === 'string' ? each : each.topic);
  }

  private left(state: State, reason: string | undefined): void {
    const newest = this.open.at(-1);
    const isOld = this.open.length > 1 && this.open.at(-2) === state;
    this.ended(state);
    if (reason !== 'draining' || !isOld || newest === undefined) return;
    if (this.owed.size > 0 && this.now() - newest.welcomedMs < waitMs)
      this.tell(`left a connection before the next one answered ${[...this.owed].join()}`);
  }

  private ended(state: State): void {
    const place = this.open.indexOf(state);
    if (place >= 0) this.open.splice(place, 1);
  }
}
