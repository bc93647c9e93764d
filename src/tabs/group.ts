import type { Cancel } from '../client/platform.js';
import { Election, hold } from './election.js';
import type { GroupPlatform, TabChannel, TabMessage } from './group-platform.js';
import type { Member, MemberLink } from './member.js';
import { Service } from './service.js';

/** A tab that is seen asks for a sign of life after this silence of the leader. */
const askAfterMs = 250;
/** A leader that is silent this long is frozen or overloaded, and loses its role. */
const silentMs = 750;
/** Time for a client to leave a socket whose leader is gone. */
const leaveMs = 50;
/** A tab without sockets stays for this long, because clients reconnect. */
const lingerMs = 5_000;

const leave = '{"type":"draining","reconnectAfterMs":0,"windowMs":0}';

/** One socket of this tab. */
interface Call {
  readonly member: Member;
  readonly url: string;
  readonly token: string | undefined;
  /** The tab that serves it, once it is known. */
  leader?: string;
  opened: boolean;
}

/**
 * The tabs that share a connection, seen from one of them. If the leader closes, crashes or stands
 * still, another tab takes over, and the clients recover from their positions.
 */
export class Group {
  readonly #name: string;
  readonly #channel: TabChannel;
  readonly #calls = new Map<number, Call>();
  readonly #election: Election;
  #service: Service | undefined;
  #leader: string | undefined;
  #heardAt = 0;
  #sockets = 0;
  #isOver = false;
  readonly #presence = new AbortController();
  #timer: Cancel = () => {};
  #idle: Cancel = () => {};

  /**
   * @param over - called when no socket of this tab is left, or the page rests
   * @param candidateAfterMs - leaves the role to others for this long
   */
  constructor(
    group: string,
    private readonly platform: GroupPlatform,
    private readonly over: () => void,
    candidateAfterMs = 0,
  ) {
    this.#name = platform.name();
    this.#channel = platform.channel(group, (message) => this.#receive(message));
    platform.onRest(() => this.end(), this.#presence.signal);
    this.#election = new Election(group, platform, {
      elected: () => {
        this.#service = new Service(group, platform, this.#election.term, (message) => this.#post(message));
        this.#announce();
        this.#follow(this.#name);
      },
      deposed: () => {
        this.#service = undefined;
        this.#post({ kind: 'who' });
      },
    });
    // Its end tells the leader that this tab is gone.
    void hold(platform, group + this.#name, this.#presence.signal, () => {
      this.#post({ kind: 'who' });
      platform.setTimer(() => this.#isOver || this.#election.run(), candidateAfterMs);
    }).catch(() => {});
    this.#check();
  }

  /** Opens a socket of this tab. */
  dial(member: Member, url: string, token: string | undefined): MemberLink {
    this.#idle();
    const socket = ++this.#sockets;
    const call: Call = { member, url, token, opened: false };
    this.#calls.set(socket, call);
    this.#place(socket, call);
    return {
      send: (text) => this.#ask(socket, { kind: 'send', text }),
      close: () => {
        this.#ask(socket, { kind: 'close' });
        this.#forget(socket);
      },
    };
  }

  /** Leaves the group. The clients of this tab find their sockets closed. */
  end(): void {
    if (this.#isOver) return;
    for (const socket of this.#calls.keys()) this.#ask(socket, { kind: 'close' });
    this.#isOver = true;
    this.#election.end();
    this.#presence.abort();
    this.over();
    for (const socket of this.#calls.keys()) this.#closed(socket);
    this.#timer();
    this.#idle();
    this.#channel.close();
  }

  /** Has a socket served by the present leader, if there is one. */
  #place(socket: number, call: Call): void {
    if (this.#leader === undefined) return;
    call.leader = this.#leader;
    const { url, token } = call;
    this.#ask(socket, { kind: 'dial', url, token });
  }

  /** Wants something of the leader that serves a socket. */
  #ask(socket: number, message: Omit<TabMessage, 'from' | 'to' | 'socket'>): void {
    const to = this.#calls.get(socket)?.leader;
    if (to !== undefined) this.#post({ ...message, socket, to });
  }

  #forget(socket: number): void {
    this.#calls.delete(socket);
    this.#idle();
    if (this.#calls.size === 0) this.#idle = this.platform.setTimer(() => this.end(), lingerMs);
  }

  #closed(socket: number, code = 1006, reason = ''): void {
    const call = this.#calls.get(socket);
    if (call === undefined) return;
    this.#forget(socket);
    call.member.closed(code, reason);
  }

  #post(content: Omit<TabMessage, 'from'>): void {
    if (this.#isOver) return;
    const message = { ...content, from: this.#name };
    if (message.to === this.#name) queueMicrotask(() => this.#receive(message));
    else this.#channel.post(message);
  }

  #receive(message: TabMessage): void {
    const { kind, from, to } = message;
    if (this.#isOver || (to !== undefined && to !== this.#name)) return;
    if (from === this.#leader) this.#heardAt = this.platform.now();
    // A leader hears from the browser that it no longer is one.
    if (kind === 'lead') {
      if (this.#service === undefined) this.#follow(from);
    } else if (kind === 'who') this.#announce();
    else if (kind === 'none') this.#lost(from);
    else if (kind === 'ping' || kind === 'dial' || kind === 'send' || kind === 'close') this.#serve(message);
    else this.#deliver(message);
  }

  #announce(): void {
    if (this.#service !== undefined) this.#post({ kind: 'lead' });
  }

  #serve(message: TabMessage): void {
    const { kind, from } = message;
    if (this.#service === undefined) this.#post({ kind: 'none', to: from });
    else if (kind === 'ping') this.#post({ kind: 'pong', to: from });
    else this.#service.serve(message);
  }

  /** A tab says that it does not lead. Another one does, or will. */
  #lost(tab: string): void {
    if (tab !== this.#leader) return;
    this.#leader = undefined;
    this.#post({ kind: 'who' });
  }

  /** A tab leads. Clients that another one served move as if their server drained. */
  #follow(leader: string): void {
    if (leader === this.#leader) return;
    this.#leader = leader;
    this.#heardAt = this.platform.now();
    for (const [socket, call] of this.#calls) {
      if (!call.opened) this.#place(socket, call);
      else {
        this.platform.setTimer(() => this.#closed(socket), leaveMs);
        call.member.message(leave);
      }
    }
  }

  /** The leader says something about a socket of this tab. */
  #deliver({ kind, from, socket = 0, text = '', code = 1006 }: TabMessage): void {
    const call = this.#calls.get(socket);
    if (call?.leader !== from) return;
    if (kind === 'opened') {
      call.opened = true;
      call.member.opened();
    } else if (kind === 'message') call.member.message(text);
    else if (kind === 'closed') this.#closed(socket, code, text);
  }

  /** A tab that is seen asks a silent leader for a sign of life, and takes over without one. */
  #check(): void {
    const dueMs = this.platform.now() + askAfterMs;
    this.#timer = this.platform.setTimer(() => {
      const now = this.platform.now();
      // This tab itself stood still.
      if (now - dueMs > askAfterMs) this.#heardAt = now;
      if (this.platform.visible && this.#calls.size > 0) this.#suspect(now - this.#heardAt);
      this.#check();
    }, askAfterMs);
  }

  #suspect(silenceMs: number): void {
    const leader = this.#leader;
    if (leader === undefined || leader === this.#name || silenceMs < askAfterMs) return;
    if (silenceMs < silentMs) return this.#post({ kind: 'ping', to: leader });
    this.#heardAt = this.platform.now();
    this.#election.takeOver();
  }
}
