import { hold } from './election.js';
import type { From, GroupPlatform, SocketWish, TabAnswer } from './group-platform.js';
import { Hub } from './hub.js';
import type { Member, MemberLink } from './member.js';

/** What the leading tab does for the others: it has the connection, and serves their sockets. */
export class Service {
  readonly #hub: Hub;
  /** Sockets of each tab that has ever been served, by their numbers. */
  readonly #tabs = new Map<string, Map<number, MemberLink>>();

  /** @param term - aborted when this service ends */
  constructor(
    private readonly group: string,
    private readonly platform: GroupPlatform,
    private readonly term: AbortSignal,
    private readonly post: (answer: TabAnswer, to: string) => void,
  ) {
    this.#hub = new Hub(platform.webSocket, platform);
    term.addEventListener('abort', () => {
      // The tabs hear of it from the next leader.
      for (const links of this.#tabs.values()) links.clear();
      this.#hub.close();
    });
  }

  /** Handles what a tab wants of one of its sockets. */
  serve(wish: From<SocketWish>): void {
    const { from, socket } = wish;
    const links = this.#tabs.get(from) ?? this.#watch(from);
    if (wish.kind === 'send') links.get(socket)?.send(wish.text);
    else if (wish.kind === 'close') {
      links.get(socket)?.close();
      links.delete(socket);
    } else {
      const member: Member = {
        message: (text) => this.post({ kind: 'message', socket, text }, from),
        closed: (code, text) => {
          if (links.delete(socket)) this.post({ kind: 'closed', socket, code, text }, from);
        },
      };
      links.set(socket, this.#hub.dial(member, wish.url, wish.token));
    }
  }

  /** A tab that is gone no longer holds its own lock. */
  #watch(tab: string): Map<number, MemberLink> {
    const links = new Map<number, MemberLink>();
    this.#tabs.set(tab, links);
    hold(this.platform, this.group + tab, this.term, (release) => {
      release();
      this.#tabs.delete(tab);
      for (const link of links.values()) link.close();
    }).catch(() => {});
    return links;
  }
}
