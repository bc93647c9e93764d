import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { plainAddress } from './ip-address.js';
import { readProxyHeader, speaksProxyProtocol } from './proxy-header.js';
import { Refusal, refuse } from './refusal.js';
import { SilentSockets } from './silent-sockets.js';
import { stepBefore } from './step-before.js';

/** Milliseconds for the header to arrive, as for the headers of a request. */
const headerTimeoutMs = 10_000;

/** The refusal of a malformed or missing header. */
export function proxyProtocolRefusal(reason: string): Refusal {
  return new Refusal(400, 'The PROXY protocol is not accepted here', {}, 'proxy-protocol', reason);
}

/** Returns a refusal if Node's parser failed on a PROXY protocol header that nothing removed. */
export function unreadProxyProtocol(error: Error & { readonly rawPacket?: Buffer }): Refusal | undefined {
  if (!speaksProxyProtocol(error.rawPacket)) return undefined;
  return proxyProtocolRefusal(
    'PROXY protocol header from an untrusted address: set the options proxyProtocol and trustedProxies, ' +
      'or stop the proxy from sending it',
  );
}

/**
 * Removes the PROXY protocol header from connections of trusted proxies, which must send one,
 * before TLS or the HTTP parser reads a byte. From then on, `remoteAddress` is the client's
 * address. [L-9.14]
 */
export class ProxiedSockets {
  /** Sockets whose header has not arrived yet; bounded. */
  private readonly waiting = new Set<Socket>();
  /** Addresses from the headers, for the TLS sockets created on top of these sockets. */
  private readonly addresses = new WeakMap<Socket, string | undefined>();
  private closing = false;

  /**
   * @param trusts - whether a socket with this address belongs to a proxy; other sockets are served
   *   unchanged
   * @param refused - called with the socket's own address
   */
  constructor(
    private readonly trusts: (address: string) => boolean,
    private readonly refused: (refusal: Refusal, address: string) => void,
    private readonly timeoutMs = headerTimeoutMs,
    /** Bounds the sockets that wait for a header by closing the oldest. */
    private readonly silent = new SilentSockets(),
  ) {}

  /** Called for each socket closed before its header arrived, to make room for a newer one. */
  set onDropped(dropped: () => void) {
    this.silent.onDropped = dropped;
  }

  /** Reads the headers on a server's connections from now on; returns a function that stops it. */
  attach(server: Server): () => void {
    const endsTls = 'setSecureContext' in server;
    return stepBefore(server, (event, [socket], passOn) => {
      if (event === 'connection' && this.trusts(plainAddress((socket as Socket).remoteAddress))) {
        this.read(socket as Socket, () => {
          passOn();
          // TLS starts reading by itself; Node's HTTP parser does not resume a paused socket.
          if (!endsTls) (socket as Socket).resume();
        });
        return true;
      }
      return event === 'secureConnection' && !this.handDown(socket as Socket) ? true : passOn();
    });
  }

  /** Closes every socket without a header, now and later: the server is about to close. */
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
        dismiss(proxyProtocolRefusal(`${header} PROXY protocol header from a trusted proxy`));
        return;
      }
      leave();
      socket.pause();
      if (head.length > header.lengthBytes) socket.unshift(head.subarray(header.lengthBytes));
      if (header.from === 'client') this.name(socket, header.address);
      pass();
    };
    const late = setTimeout(() => {
      dismiss(new Refusal(408, 'The PROXY protocol header did not arrive in time'));
    }, this.timeoutMs).unref();
    this.waiting.add(socket);
    socket.on('data', take).on('end', gone).on('close', leave).on('error', ignore);
    this.silent.connected(socket);
  }

  /**
   * `undefined` stands for a client that the proxy does not know: the proxy's own address would be
   * trusted.
   */
  private name(socket: Socket, address: string | undefined): void {
    this.addresses.set(socket, address);
    Object.defineProperty(socket, 'remoteAddress', { value: address, configurable: true });
  }

  /**
   * Copies the client's address from the raw socket to the TLS socket on top of it. Closes a TLS
   * socket whose raw socket is unknown.
   */
  private handDown(socket: Socket): boolean {
    const { _parent: raw } = socket as Socket & { readonly _parent?: Socket };
    if (raw === undefined) socket.destroy();
    else if (this.addresses.has(raw)) this.name(socket, this.addresses.get(raw));
    return raw !== undefined;
  }
}

function ignore(): void {}
