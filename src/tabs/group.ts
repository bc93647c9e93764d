import type { Cancel } from '../client/platform.js';
import { Election, hold } from './election.js';
import type {
  From,
  GroupPlatform,
  TabAnswer,
  TabChannel,
  TabMessage,
  TabSpeech,
  TabWish,
} from './group-platform.js';
import type { Member, MemberLink } from './member.js';
import { Service } from './service.js';

/** Tabs check at different times, so that the first one leads before the others ask. */
const checkMs = 100;
/** A tab that is seen asks for a sign of life after this silence of the leader. */
const askAfterMs = 250;
/** A leader that is silent this long is frozen or overloaded, and loses its role. */
const silentMs = 650;
/** Time for a client to leave a socket whose leader is gone. */
const leaveMs = 50;
/** A tab without sockets stays for this long, because clients reconnect. */
const lingerMs = 5_000;

/** At once, because it names no time. */
const leave = '{"type":"draining"}';

/** One socket of this tab. */
interface Call {
  readonly member: Member;
  readonly url: string;
  readonly token: string | undefined;
  /** The tab that serves it, once it is known. */
  leader?: string | undefined;
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
        this.#service = new Service(group, platform, this.#election.term, (speech, to) =>
          this.#post(speech, to),
        );
        this.#post({ kind: 'lead' });
        this.#follow(this.#name);
      },
      deposed: () => {
        this.#service = undefined;
        this.#search();
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
      send: (text) => this.#ask(call, { kind: 'send', socket, text }),
      close: () => {
        this.#ask(call, { kind: 'close', socket });
        this.#forget(socket);
      },
    };
  }

  /** Leaves the group. The clients of this tab find their sockets closed. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#election.end();
    // The leader then closes the sockets of this tab.
    this.#presence.abort();
    this.over();
    for (const socket of this.#calls.keys()) this.#closed(socket);
    this.#timer();
    this.#idle();
    this.#channel.close();
  }

  /** Has a socket served by the present leader, if there is one. */
  #place(socket: number, call: Call): void {
    const { url, token } = call;
    call.leader = this.#leader;
    this.#ask(call, { kind: 'dial', socket, url, token });
  }

  /** Wants something of the leader that serves a socket. */
  #ask({ leader }: Call, speech: TabSpeech): void {
    if (leader !== undefined) this.#post(speech, leader);
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

  #post(speech: TabSpeech, to?: string): void {
    if (this.#isOver) return;
    const message = { ...speech, from: this.#name, to };
    if (to === this.#name) queueMicrotask(() => this.#receive(message));
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- it has none
    else this.#channel.postMessage(message);
  }

  #receive(message: TabMessage): void {
    const { from, to } = message;
    if (this.#isOver || (to !== undefined && to !== this.#name)) return;
    if (from === this.#leader) this.#heardAt = this.platform.now();
    // A leader hears from the browser that it no longer is one.
    if (message.kind === 'lead') {
      if (this.#service === undefined) this.#follow(from);
    } else if (message.kind === 'none') {
      if (from === this.#leader) this.#search();
    } else if (message.kind === 'message' || message.kind === 'closed') this.#deliver(message);
    else this.#serve(message);
  }

  /** Does what only the leader can do. */
  #serve(message: From<TabWish>): void {
    const { from, to } = message;
    if (this.#service === undefined) {
      if (to !== undefined) this.#post({ kind: 'none' }, from);
    } else if (message.kind === 'who') this.#post({ kind: 'lead' }, from);
    else this.#service.serve(message);
  }

  /** Asks who leads, or will. */
  #search(): void {
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
  #deliver(message: From<TabAnswer>): void {
    const { socket, text } = message;
    const call = this.#calls.get(socket);
    if (call?.leader !== message.from) return;
    if (message.kind === 'closed') return this.#closed(socket, message.code, text);
    call.opened = true;
    call.member.message(text);
  }

  /** A tab that is seen asks a silent leader for a sign of life, and takes over without one. */
  #check(): void {
    const dueMs = this.platform.now() + checkMs;
    this.#timer = this.platform.setTimer(() => {
      const now = this.platform.now();
      const lateMs = now - dueMs;
      // While this tab itself stood still, it heard nobody.
      this.#heardAt = lateMs > askAfterMs ? now : this.#heardAt + lateMs;
      if (this.platform.visible && this.#calls.size > 0) this.#suspect(now - this.#heardAt);
      this.#check();
    }, checkMs);
  }

  #suspect(silenceMs: number): void {
    const leader = this.#leader;
    if (leader === undefined || leader === this.#name || silenceMs < askAfterMs) return;
    if (silenceMs < silentMs) return this.#post({ kind: 'who' }, leader);
    this.#heardAt = this.platform.now();
    this.#election.takeOver();
  }
}
