import { hold } from './election.js';
import type { GroupPlatform, TabMessage } from './group-platform.js';
import { Hub } from './hub.js';
import type { MemberLink } from './member.js';

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
    private readonly post: (message: Omit<TabMessage, 'from'>) => void,
  ) {
    this.#hub = new Hub(platform.webSocket, platform);
    term.addEventListener('abort', () => {
      // The tabs hear of it from the next leader.
      for (const links of this.#tabs.values()) links.clear();
      this.#hub.close();
    });
  }

  /** Handles what a tab wants of one of its sockets. */
  serve({ kind, from, socket = 0, url = '', token, text = '' }: TabMessage): void {
    const links = this.#tabs.get(from) ?? this.#watch(from);
    if (kind === 'send') links.get(socket)?.send(text);
    else if (kind === 'close') {
      links.get(socket)?.close();
      links.delete(socket);
    } else {
      const say = (content: Pick<TabMessage, 'kind' | 'text' | 'code'>): void =>
        this.post({ ...content, to: from, socket });
      const member = {
        opened: () => say({ kind: 'opened' }),
        message: (said: string) => say({ kind: 'message', text: said }),
        closed(code: number, reason: string) {
          if (links.delete(socket)) say({ kind: 'closed', code, text: reason });
        },
      };
      links.set(socket, this.#hub.dial(member, url, token));
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
