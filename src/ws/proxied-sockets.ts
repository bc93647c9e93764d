import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { plainAddress } from './ip-address.js';
import { readProxyHeader, speaksProxyProtocol } from './proxy-header.js';
import { Refusal, refuse } from './refusal.js';
import { SilentSockets } from './silent-sockets.js';
import { stepBefore } from './step-before.js';

/** Milliseconds for the header, as for the headers of a request. */
const headerTimeoutMs = 10_000;

/** A refused header, or one that is missing. */
export function proxyProtocolRefusal(reason: string): Refusal {
  return new Refusal(400, 'The PROXY protocol is not read here', {}, 'proxy-protocol', reason);
}

/** Why Node's parser gave up, when it was given the PROXY protocol: nobody has taken the header off. */
export function unreadProxyProtocol(error: Error & { readonly rawPacket?: Buffer }): Refusal | undefined {
  if (!speaksProxyProtocol(error.rawPacket)) return undefined;
  return proxyProtocolRefusal(
    'PROXY protocol header of an address that it is not read from: set the options proxyProtocol and trustedProxies, ' +
      'or have the proxy not send it',
  );
}

/**
 * Takes the header of the PROXY protocol off the connections of trusted proxies, which must send one, before TLS or Node's
 * HTTP parser sees a byte; from then on the client's address is the socket's `remoteAddress`. [L-9.14]
 */
export class ProxiedSockets {
  /** Those whose header has not come yet; bounded. */
  private readonly waiting = new Set<Socket>();
  /** What the headers said, for the sockets that TLS makes of these. */
  private readonly addresses = new WeakMap<Socket, string | undefined>();
  private closing = false;

  /**
   * @param trusts whether a socket with this address is a proxy's; others are served as they are
   * @param refused called with the socket's own address
   */
  constructor(
    private readonly trusts: (address: string) => boolean,
    private readonly refused: (refusal: Refusal, address: string) => void,
    private readonly timeoutMs = headerTimeoutMs,
    /** Those whose header has not come yet: when there are too many, the oldest goes. */
    private readonly silent = new SilentSockets(),
  ) {}

  /** Called for each socket that had to go before its header had come, to make room for a newer one. */
  set onDropped(dropped: () => void) {
    this.silent.onDropped = dropped;
  }

  /** Reads the headers of a server's connections from now on; returns what ends that. */
  attach(server: Server): () => void {
    const endsTls = 'setSecureContext' in server;
    return stepBefore(server, (event, [socket], passOn) => {
      if (event === 'connection' && this.trusts(plainAddress((socket as Socket).remoteAddress))) {
        this.read(socket as Socket, () => {
          passOn();
          // TLS reads by itself; Node's parser waits for a socket that was paused.
          if (!endsTls) (socket as Socket).resume();
        });
        return true;
      }
      return event === 'secureConnection' && !this.handDown(socket as Socket) ? true : passOn();
    });
  }

  /** Drops all sockets without a header, also later ones: the server is about to close. */
  close(): void {
    this.closing = true;
    for (const socket of this.waiting) socket.destroy();
  }

  private read(socket: Socket, pass: () => void): void {
    if (this.closing) {
      socket.destroy();
      return;
    }
    let head = Buffer.alloc(0);
    const gone = (): void => void socket.destroy();
    const leave = (): void => {
      clearTimeout(late);
      this.waiting.delete(socket);
      this.silent.asked(socket);
      socket.off('data', take).off('end', gone).off('close', leave).off('error', ignore);
    };
    const dismiss = (refusal: Refusal): void => {
      leave();
      socket.on('error', ignore);
      this.refused(refusal, plainAddress(socket.remoteAddress));
      refuse(socket, refusal);
    };
    const take = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk]);
      const header = readProxyHeader(head);
      if (header === 'incomplete') return;
      if (header === 'absent' || header === 'malformed') {
        dismiss(proxyProtocolRefusal(`${header} PROXY protocol header of a trusted proxy`));
        return;
      }
      leave();
      socket.pause();
      if (head.length > header.lengthBytes) socket.unshift(head.subarray(header.lengthBytes));
      if (header.from === 'client') this.name(socket, header.address);
      pass();
    };
    const late = setTimeout(() => {
      dismiss(new Refusal(408, 'The PROXY protocol header did not come in time'));
    }, this.timeoutMs).unref();
    this.waiting.add(socket);
    socket.on('data', take).on('end', gone).on('close', leave).on('error', ignore);
    this.silent.connected(socket);
  }

  /** `undefined` for a client that the proxy does not know: the proxy's own address would be trusted. */
  private name(socket: Socket, address: string | undefined): void {
    this.addresses.set(socket, address);
    Object.defineProperty(socket, 'remoteAddress', { value: address, configurable: true });
  }

  /** Gives a TLS socket the address of the socket that it was made of. Drops one whose origin is unknown. */
  private handDown(socket: Socket): boolean {
    const { _parent: raw } = socket as Socket & { readonly _parent?: Socket };
    if (raw === undefined) socket.destroy();
    else if (this.addresses.has(raw)) this.name(socket, this.addresses.get(raw));
    return raw !== undefined;
  }
}

function ignore(): void {}
