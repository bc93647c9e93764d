import type { TopicRequest } from '../protocol/client-messages.js';
import type { ErrorMessage, ServerMessage, WelcomeMessage } from '../protocol/messages.js';
import { Bundle } from '../client/bundle.js';
import type { Platform } from '../client/platform.js';
import { isOfTopic } from '../client/topics.js';
import { openWire, type Wire, type WebSocketConstructor } from '../client/wire.js';
import type { Member, MemberLink } from './member.js';
import { SharedTopic } from './shared-topic.js';

/** A message of a tab. The server checks it, so only what is needed here is named. */
interface TabMessage extends Partial<TopicRequest> {
  readonly type?: unknown;
  readonly id?: unknown;
  readonly topics?: unknown;
  /** The id of another request of this tab. [L-4.16] */
  readonly after?: unknown;
}

/** One WebSocket to the server, which several tabs use as if each had its own. */
export class SharedWire {
  /** Whether further tabs may join: not once it drains or has ended. */
  joinable = true;
  /** By numbers, with which the ids of their requests begin: `3 41` is the request 41 of tab 3. */
  readonly #members = new Map<number, Member>();
  readonly #topics = new Map<string, SharedTopic>();
  readonly #wire: Wire;
  readonly #bundle: Bundle;
  #ended = false;
  #welcome: WelcomeMessage | undefined;
  #welcomedAt = 0;
  #id = 0;
  #joined = 0;

  constructor(
    WebSocket: WebSocketConstructor,
    url: string,
    token: string | undefined,
    private readonly platform: Platform,
    private readonly ended: () => void,
  ) {
    this.#bundle = new Bundle({
      platform,
      nextId: () => ++this.#id,
      send: (message) => this.#wire.send(JSON.stringify(message)),
    });
    this.#wire = openWire(WebSocket, url, token, {
      opened() {},
      message: (text) => this.#receive(text),
      closed: (code, reason) => this.#end(code, reason),
    });
  }

  /** A tab joins, and hears what the others have heard before. */
  add(member: Member): MemberLink {
    const number = ++this.#joined;
    this.#members.set(number, member);
    if (this.#welcome !== undefined) member.message(this.#welcomeNow(this.#welcome));
    return {
      send: (text) => this.#send(number, member, text),
      close: () => this.#remove(number, member),
    };
  }

  /** Ends it for all tabs. */
  close(): void {
    this.#wire.close('');
    this.#end(1006, '');
  }

  #remove(number: number, member: Member): void {
    if (!this.#members.delete(number)) return;
    for (const topic of this.#topics.values()) topic.remove(member);
    if (this.#members.size === 0) this.close();
  }

  /** A credential that expires has less time left than when the first tab connected. */
  #welcomeNow(welcome: WelcomeMessage): string {
    const passedMs = this.platform.now() - this.#welcomedAt;
    const expiresInMs = welcome.expiresInMs && Math.max(0, welcome.expiresInMs - passedMs);
    return JSON.stringify({ ...welcome, expiresInMs });
  }

  #send(number: number, member: Member, text: string): void {
    if (!this.#members.has(number)) return;
    const message = JSON.parse(text) as TabMessage;
    const list = (message.topics ?? [message.topic ?? '']) as readonly (string | TopicRequest)[];
    if (message.type === 'subscribe') {
      for (const request of list)
        this.#subscribe(
          member,
          message.id,
          typeof request === 'string' ? (message as TopicRequest) : request,
        );
    } else if (message.type === 'unsubscribe') {
      for (const topic of list) this.#unsubscribe(member, message.id, topic as string);
    } else if (message.id === undefined) this.#wire.send(text);
    else {
      const shared = (own: unknown): unknown => own && `${String(number)} ${String(own)}`;
      const { id, after } = message;
      this.#wire.send(JSON.stringify({ ...message, id: shared(id), after: shared(after) }));
    }
  }

  #subscribe(member: Member, id: unknown, request: TopicRequest): void {
    const { topic: name, since, maxRate, pages, entries } = request;
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      topic = new SharedTopic(name, {
        subscribe: (asked) => this.#bundle.subscribe(asked as TopicRequest, false),
        over: () => {
          if (this.#topics.delete(name) && this.joinable) this.#bundle.unsubscribe(name, false);
        },
      });
      this.#topics.set(name, topic);
    }
    topic.subscribe(member, id, { topic: name, since, maxRate, pages, entries });
  }

  /** Answered here: other tabs may go on with the topic. */
  #unsubscribe(member: Member, id: unknown, topic: string): void {
    this.#topics.get(topic)?.remove(member);
    member.message(JSON.stringify({ type: 'unsubscribed', id, topic }));
  }

  #receive(text: string): void {
    const message = JSON.parse(text) as ServerMessage;
    if (isOfTopic(message)) return this.#topics.get(message.topic)?.message(message, text);
    if (message.type === 'welcome') {
      this.#welcome = message;
      this.#welcomedAt = this.platform.now();
      this.#bundle.up(message);
    } else if (message.type === 'draining') this.joinable = false;
    const { id } = message as ErrorMessage;
    if (typeof id !== 'string') {
      if (message.type === 'error' && id !== undefined)
        for (const topic of this.#topics.values()) topic.failed(message);
      else this.#tell(text);
      return;
    }
    const [number, own] = id.split(' ', 2).map(Number);
    const member = this.#members.get(number ?? 0);
    member?.message(JSON.stringify({ ...message, id: own }));
    // The others need not present their credential. [L-7.6]
    if (message.type === 'authenticated') this.#tell(JSON.stringify({ ...message, id: undefined }), member);
  }

  #tell(text: string, except?: Member): void {
    for (const member of this.#members.values()) if (member !== except) member.message(text);
  }

  #end(code: number, reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.joinable = false;
    this.#bundle.down();
    this.ended();
    const members = [...this.#members.values()];
    this.#members.clear();
    for (const member of members) member.closed(code, reason);
  }
}
