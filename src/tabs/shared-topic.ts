import type { TopicRequest } from '../protocol/client-messages.js';
import type { ErrorMessage, SubscribedMessage } from '../protocol/messages.js';
import type { Position } from '../protocol/position.js';
import type { Incoming } from '../client/port.js';
import type { Member } from './member.js';

/** What a tab asks for. JSON leaves `undefined` out. */
export type TabRequest = { readonly [Field in keyof TopicRequest]: TopicRequest[Field] | undefined } & {
  readonly topic: string;
};

/** Members and what each asked for last. */
type Members = Map<Member, TabRequest>;

/** A subscribe of one tab, or one for tabs that the subscribe of another tab has left behind. */
interface Ask {
  readonly members: Members;
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
  readonly #linked: Members = new Map();
  #queue: Ask[] = [];
  #asked: Ask | undefined;
  /** Tabs that receive the pages of a start, until the last page. */
  #paging: Members | undefined;
  /** The furthest position that was sent to the tabs. */
  #at: Position | undefined;
  /** Rate of the last request. */
  #rate = Infinity;

  constructor(
    private readonly name: string,
    private readonly port: TopicPort,
  ) {}

  subscribe(member: Member, id: unknown, request: TabRequest): void {
    this.#queue.push({ members: new Map([[member, request]]), id, request });
    this.#next();
  }

  /** A tab unsubscribes, or is gone. */
  remove(member: Member): void {
    this.#linked.delete(member);
    this.#paging?.delete(member);
    for (const { members } of this.#asks()) members.delete(member);
    this.#queue = this.#queue.filter(({ members }) => members.size > 0);
    if (this.#linked.size === 0 && !this.#asks().some(({ members }) => members.size > 0)) this.port.over();
    else if (this.#asks().length === 0 && fastest(this.#linked) < this.#rate)
      this.#ask(this.#linked, this.#at);
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
        if (this.#paging === undefined) break;
        tell(this.#paging, text);
        if (message.last === true) this.#settle();
        break;
      case 'subscribed':
        if (message.id === undefined) this.#pushed(message, text);
        else if (message.id === this.#asked?.wireId) this.#answered(this.#asked, message);
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
    // A subscribe would end the pages.
    const ask = (this.#asked ?? this.#paging) ? undefined : this.#queue.shift();
    if (ask === undefined) return;
    const all: Members = new Map([...this.#linked, ...ask.members]);
    this.#rate = fastest(all);
    this.#asked = ask;
    const maxRate = this.#rate < Infinity ? this.#rate : undefined;
    // Later starts reach all of them: one that takes no pages decides for all. Each reads lists.
    const asked = [...all.values()];
    const pages = asked.every((one) => one.pages) || undefined;
    const entries = asked.some((one) => one.entries) || undefined;
    ask.wireId = this.port.subscribe({ ...ask.request, maxRate, pages, entries });
  }

  /** The pages of a start have ended, and perhaps those of another one begin. */
  #settle(paging?: Members): void {
    if (this.#paging === this.#asked?.members) this.#asked = undefined;
    this.#paging = paging;
    this.#next();
  }

  #answered(ask: Ask, message: SubscribedMessage): void {
    const at = this.#at;
    const text = JSON.stringify({ ...message, id: ask.id });
    const skipped = at !== undefined && (at.epoch !== message.epoch || at.offset < message.offset);
    const others: Members = new Map([...this.#linked].filter(([member]) => !ask.members.has(member)));
    if (others.size > 0) {
      // It has ended the pages of their start.
      if (this.#paging !== undefined) this.#ask(others, undefined);
      else if (skipped && ask.id !== undefined) this.#ask(others, at);
      // They asked in vain before: tabs that ask in turn would skip each other forever.
      else if (skipped) for (const [member, request] of others) ask.members.set(member, request);
    }
    this.#link(ask.members);
    tell(ask.members, text);
    if (at === undefined || skipped) this.#at = { epoch: message.epoch, offset: message.offset };
    this.#paging = ask.members;
    if (message.pages !== true) this.#settle();
  }

  /** Asks for what follows a position, or for a start, before anybody else asks. */
  #ask(members: Members, since: Position | undefined): void {
    const late = new Map(members);
    for (const member of late.keys()) this.#linked.delete(member);
    this.#queue.unshift({ members: late, request: { topic: this.name, since } });
    this.#next();
  }

  /** The server begins again by itself, which also serves those that were left behind. [L-5.7] */
  #pushed(message: SubscribedMessage, text: string): void {
    this.#at = { epoch: message.epoch, offset: message.offset };
    if (!message.recovered) {
      for (const { id, members } of this.#queue) if (id === undefined) this.#link(members);
      this.#queue = this.#queue.filter(({ id }) => id !== undefined);
    }
    tell(this.#linked, text);
    if (!message.recovered) this.#settle(message.pages && new Map(this.#linked));
  }

  #reached(offset: number): void {
    const at = this.#at;
    if (at !== undefined && offset > at.offset) this.#at = { epoch: at.epoch, offset };
  }

  #link(members: Members): void {
    for (const [member, request] of members) this.#linked.set(member, request);
  }

  /** There is no subscription on the server any more. */
  #end(text: string): void {
    const members = new Map(this.#linked);
    this.#linked.clear();
    this.#at = undefined;
    tell(members, text);
    this.#settle();
    if (this.#asks().length === 0) this.port.over();
  }
}

function tell(members: Members, text: string): void {
  for (const member of members.keys()) member.message(text);
}

function fastest(members: Members): number {
  return Math.max(0, ...Array.from(members.values(), ({ maxRate = Infinity }) => maxRate));
}
