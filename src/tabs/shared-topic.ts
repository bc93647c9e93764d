import type { TopicRequest } from '../protocol/client-messages.js';
import type { ErrorMessage, PageMessage, SubscribedMessage } from '../protocol/messages.js';
import type { Position } from '../protocol/position.js';
import type { Incoming } from '../client/port.js';
import { withObject } from '../client/pages.js';
import type { Member } from './member.js';

/** What a tab asks for. JSON leaves `undefined` out. */
export type TabRequest = { readonly [Field in keyof TopicRequest]: TopicRequest[Field] | undefined } & {
  readonly topic: string;
};

/** Members and the rate that each asked for. */
type Rates = Map<Member, number>;

/** A subscribe of one tab, or one for tabs that the subscribe of another tab has left behind. */
interface Ask {
  readonly members: Rates;
  /** The tab's own id; absent for those that were left behind. */
  readonly id?: unknown;
  readonly request: TabRequest;
  /** Id on the shared connection, once it is sent. */
  wireId?: number;
}

/** What a topic needs from the shared connection. */
export interface TopicPort {
  /** Sends a subscribe. Returns the id of its answer. */
  subscribe(request: TabRequest): number;
  /** Called when no tab has the topic any more. */
  over(): void;
}

/**
 * One topic of a shared connection. Its tabs share one subscription on the server, which a
 * `subscribe` of any of them begins again. They ask one after the other, and those that the new
 * beginning has left behind catch up. [L-3.5]
 */
export class SharedTopic {
  /** Tabs that receive the events. */
  readonly #linked: Rates = new Map();
  #queue: Ask[] = [];
  #asked: Ask | undefined;
  /** Whether pages of the answer are still to come. */
  #paging = false;
  /** The furthest position that was sent to the tabs. */
  #at: Position | undefined;
  /** Rate of the last request. */
  #rate = Infinity;
  /** Tabs that take a list of entries. The others get an object made of it. [L-6.11] */
  readonly #takeEntries = new Set<Member>();

  constructor(
    private readonly name: string,
    private readonly port: TopicPort,
  ) {}

  subscribe(member: Member, id: unknown, request: TabRequest): void {
    if (request.entries === true) this.#takeEntries.add(member);
    else this.#takeEntries.delete(member);
    this.#queue.push({ members: new Map([[member, request.maxRate ?? Infinity]]), id, request });
    this.#next();
  }

  /** A tab unsubscribes, or is gone. */
  remove(member: Member): void {
    this.#linked.delete(member);
    this.#takeEntries.delete(member);
    for (const { members } of this.#asks()) members.delete(member);
    this.#queue = this.#queue.filter(({ members }) => members.size > 0);
    if (this.#linked.size === 0 && !this.#asks().some(({ members }) => members.size > 0)) this.port.over();
    else if (this.#asks().length === 0 && fastest(this.#linked) < this.#rate) this.#catchUp(this.#linked);
  }

  message(message: Incoming, text: string): void {
    switch (message.type) {
      case 'event':
        this.#reached(message.offset);
        tell(this.#linked, text);
        break;
      case 'lost':
        this.#reached(message.to);
        tell(this.#linked, text);
        break;
      case 'page':
        if (this.#paging) this.#page(message, text);
        break;
      case 'subscribed':
        if (message.id === undefined) this.#pushed(message);
        else if (message.id === this.#asked?.wireId && !this.#paging) this.#answered(this.#asked, message);
        break;
      case 'unsubscribed':
        if (message.id === undefined) this.#end(text);
        break;
    }
  }

  /** An error may answer the subscribe that was sent. */
  failed(message: ErrorMessage): void {
    const ask = this.#asked;
    if (ask === undefined || ask.wireId !== message.id) return;
    const { code, message: reason, retryAfterMs } = message;
    const text = JSON.stringify({ ...message, topic: this.name, id: ask.id });
    if (ask.id === undefined) this.#link(ask.members);
    else tell(ask.members, text);
    this.#asked = undefined;
    // Whether the server still has the subscription is unknown. [L-3.9]
    this.#end(JSON.stringify({ type: 'unsubscribed', topic: this.name, code, reason, retryAfterMs }));
  }

  #asks(): Ask[] {
    return this.#asked === undefined ? this.#queue : [this.#asked, ...this.#queue];
  }

  #next(): void {
    const ask = this.#asked === undefined ? this.#queue.shift() : undefined;
    if (ask === undefined) return;
    this.#rate = Math.max(fastest(ask.members), fastest(this.#linked));
    this.#asked = ask;
    const maxRate = this.#rate < Infinity ? this.#rate : undefined;
    const entries = this.#takeEntries.size > 0 || undefined;
    // A tab that takes no list would get pages of one.
    const pages = entries === ask.request.entries ? ask.request.pages : undefined;
    ask.wireId = this.port.subscribe({ ...ask.request, maxRate, pages, entries });
  }

  #settle(): void {
    this.#asked = undefined;
    this.#paging = false;
    this.#next();
  }

  #answered(ask: Ask, message: SubscribedMessage): void {
    const at = this.#at;
    const answer = { ...message, id: ask.id } as SubscribedMessage;
    const skipped = at !== undefined && (at.epoch !== message.epoch || at.offset < message.offset);
    const others: Rates = new Map([...this.#linked].filter(([member]) => !ask.members.has(member)));
    this.#link(ask.members);
    this.#begin(ask.members, answer);
    if (skipped && others.size > 0) {
      // They asked in vain before: tabs that ask in turn would skip each other forever.
      if (ask.id === undefined) this.#begin(others, answer);
      else this.#catchUp(others);
    }
    if (at === undefined || skipped) this.#at = { epoch: message.epoch, offset: message.offset };
    if (message.pages === true) this.#paging = true;
    else this.#settle();
  }

  /** Asks for what follows the furthest position, before anybody else asks. */
  #catchUp(members: Rates): void {
    const since = this.#at;
    if (since === undefined) return;
    const late = new Map(members);
    for (const member of late.keys()) this.#linked.delete(member);
    this.#queue.unshift({ members: late, request: { topic: this.name, since } });
    this.#next();
  }

  /** Only the tab that asked for pages receives them. */
  #page(message: PageMessage, text: string): void {
    if (this.#asked !== undefined) tell(this.#asked.members, text);
    if (message.last === true) this.#settle();
  }

  /** The server begins again by itself, which also serves those that were left behind. [L-5.7] */
  #pushed(message: SubscribedMessage): void {
    this.#at = { epoch: message.epoch, offset: message.offset };
    if (!message.recovered) {
      for (const { id, members } of this.#queue) if (id === undefined) this.#link(members);
      this.#queue = this.#queue.filter(({ id }) => id !== undefined);
    }
    this.#begin(this.#linked, message);
    if (this.#paging && !message.recovered) this.#settle();
  }

  /** Tells a start to each tab as it takes it. */
  #begin(members: Rates, message: SubscribedMessage): void {
    const list = JSON.stringify(message);
    const object = JSON.stringify({ ...withObject(message), entries: undefined });
    for (const member of members.keys()) member.message(this.#takeEntries.has(member) ? list : object);
  }

  #reached(offset: number): void {
    const at = this.#at;
    if (at !== undefined && offset > at.offset) this.#at = { epoch: at.epoch, offset };
  }

  #link(members: Rates): void {
    for (const [member, rate] of members) this.#linked.set(member, rate);
  }

  /** There is no subscription on the server any more. */
  #end(text: string): void {
    const members = new Map(this.#linked);
    this.#linked.clear();
    this.#at = undefined;
    tell(members, text);
    if (this.#paging) this.#settle();
    else this.#next();
    if (this.#asks().length === 0) this.port.over();
  }
}

function tell(members: Rates, text: string): void {
  for (const member of members.keys()) member.message(text);
}

function fastest(rates: Rates): number {
  return Math.max(0, ...rates.values());
}
