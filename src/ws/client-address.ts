import type { IncomingMessage } from 'node:http';
import type { BlockList } from 'node:net';
import { isIP } from 'node:net';
import { isIn, networks, plainAddress } from './ip-address.js';
import type { TrustedProxies } from './trusted-proxies.js';

/**
 * Finds a client's address: the socket's own or, behind trusted proxies, the one that the outermost
 * of them recorded. The list is read from its end, because a client can forge everything before the
 * first entry that no trusted proxy wrote. [L-9.14]
 */
export class ClientAddresses {
  private readonly hops: number;
  private readonly proxies: BlockList | undefined;
  private reported = false;

  /**
   * @param onIgnored - called once, for the first list that comes from an untrusted address
   * @throws RangeError for an entry that is not an address or a network
   */
  constructor(
    trusted: TrustedProxies,
    private readonly onIgnored: (from: string) => void = () => {},
  ) {
    this.hops = typeof trusted === 'number' ? trusted : 0;
    if (typeof trusted !== 'number' && trusted.length > 0) this.proxies = networks(trusted);
  }

  of({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): string {
    const list = headers['x-forwarded-for'];
    let address = plainAddress(socket.remoteAddress);
    if (typeof list !== 'string') return address;
    if (!this.trusts(address, 0)) this.ignore(address);
    let end = list.length;
    for (let hop = 0; end > 0 && this.trusts(address, hop); hop++) {
      const start = list.lastIndexOf(',', end - 1) + 1;
      const entry = addressIn(list.slice(start, end));
      if (entry === undefined) break;
      address = entry;
      end = start - 1;
    }
    return address;
  }

  private trusts(address: string, hop: number): boolean {
    return this.proxies === undefined ? hop < this.hops : isIn(this.proxies, address);
  }

  private ignore(from: string): void {
    if (!this.reported) this.onIgnored(from);
    this.reported = true;
  }
}

/** An entry is an address. Some proxies add a port: `192.0.2.1:443`, `[2001:db8::1]:443`. */
function addressIn(text: string): string | undefined {
  const entry = text.trim();
  const address = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(entry)?.[1] ?? entry.replace(/^([\d.]+):\d{1,5}$/, '$1');
  return isIP(address) === 0 ? undefined : plainAddress(address);
}
