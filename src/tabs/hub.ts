import type { Platform } from '../client/platform.js';
import type { WebSocketConstructor } from '../client/wire.js';
import type { Member, MemberLink } from './member.js';
import { SharedWire } from './shared-wire.js';

/**
 * The connections of the leading tab. There is one, and for a short time two while the server
 * drains the first.
 */
export class Hub {
  readonly #wires = new Set<SharedWire>();

  constructor(
    private readonly webSocket: WebSocketConstructor,
    private readonly platform: Platform,
  ) {}

  /** Joins the current connection, or opens one with what this tab presents. */
  dial(member: Member, url: string, token?: string): MemberLink {
    const open = [...this.#wires].find(({ joinable }) => joinable);
    if (open !== undefined) return open.add(member);
    const wire: SharedWire = new SharedWire(this.webSocket, url, token, this.platform, () =>
      this.#wires.delete(wire),
    );
    this.#wires.add(wire);
    return wire.add(member);
  }

  close(): void {
    for (const wire of this.#wires) wire.close();
  }
}
