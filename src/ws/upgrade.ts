import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import type { ConnectionIdentity } from '../core/connection/live-user.js';
import type { Cancel, Clock } from '../core/ports/clock.js';
import { liveSubprotocol } from '../protocol/subprotocol.js';
import { handshakeFault } from './handshake.js';
import {
  type HandshakeResult,
  type Refusal,
  refuse,
  Refusal as RefusalError,
  unavailable,
} from './refusal.js';

export interface UpgradeOptions {
  readonly path: string;
  readonly upgradeTimeoutMs: number;
  readonly maxPendingUpgrades: number;
  readonly maxMessageBytes: number;
}

/** What the door asks, and tells. */
export interface UpgradeHooks {
  /** Whether nobody is let in any more. */
  draining(): boolean;
  /** A cheap look before anybody is asked; a refusal ends it. */
  precheck(request: IncomingMessage): Refusal | undefined;
  /** Decides who this is; throws a `Refusal`, and anything else it throws is answered 503. `signal`: nobody waits any more. */
  authenticate(request: IncomingMessage, signal: AbortSignal): Promise<ConnectionIdentity>;
  /** The peer is in. Called in the same turn as the 101. */
  accepted(ws: WebSocket, socket: Duplex, request: IncomingMessage, identity: ConnectionIdentity): void;
  handshake(result: HandshakeResult): void;
  failed(doing: string, error: unknown): void;
}

/** One handshake that is not decided yet. */
interface Pending {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly abort: AbortController;
  cancelDeadline: Cancel;
}

/** Limits of `ws` that its types do not know yet. */
const wsLimits = { maxFragments: 32, maxBufferedChunks: 128, maxPendingAutoPongs: 16, closeTimeout: 3_000 };

/**
 * The door: every upgrade is decided here, before the 101. No Node timeout covers a pending upgrade, so it has a cap, a
 * deadline, and a set of its own. [L-1.4] [L-1.10]
 */
export class UpgradeDoor {
  private readonly pending = new Set<Pending>();
  private readonly server: WebSocketServer;

  constructor(
    private readonly options: UpgradeOptions,
    private readonly hooks: UpgradeHooks,
    private readonly clock: Clock,
  ) {
    this.server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: options.maxMessageBytes,
      handleProtocols: (offered: Set<string>) => (offered.has(liveSubprotocol) ? liveSubprotocol : false),
      ...wsLimits,
    } as ServerOptions);
  }

  /** Handshakes that are not decided yet. */
  get pendingCount(): number {
    return this.pending.size;
  }

  /** An `upgrade` event; never throws, and owns the socket from here on. */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer, unfinishedResponse: boolean): void {
    // First of all: a peer that resets the connection while it is pending would end the process.
    socket.on('error', ignore);
    const refusal = this.lookOver(request, unfinishedResponse);
    if (refusal === undefined) void this.decide(this.enter(request, socket, head));
    else this.refuse(socket, refusal);
  }

  /** Refuses everybody who is still pending. */
  refuseAll(): void {
    for (const pending of this.pending) this.dismiss(pending, unavailable('The server is shutting down'));
  }

  private lookOver(request: IncomingMessage, unfinishedResponse: boolean): Refusal | undefined {
    if (unfinishedResponse)
      return new RefusalError(400, 'An earlier request on this socket is not answered yet');
    const fault = handshakeFault(request, this.options.path);
    if (fault !== undefined) return fault;
    if (this.hooks.draining()) return unavailable('The server is shutting down');
    if (this.pending.size >= this.options.maxPendingUpgrades)
      return unavailable('Too many handshakes are pending');
    return this.hooks.precheck(request);
  }

  private enter(request: IncomingMessage, socket: Duplex, head: Buffer): Pending {
    const pending: Pending = { request, socket, head, abort: new AbortController(), cancelDeadline: ignore };
    this.pending.add(pending);
    pending.cancelDeadline = this.clock.after(this.options.upgradeTimeoutMs, () => {
      this.dismiss(pending, unavailable('The handshake was not decided in time'));
    });
    const gone = (): void => this.abandon(pending);
    socket.once('close', gone);
    socket.once('end', gone);
    pending.abort.signal.addEventListener('abort', () => {
      socket.off('close', gone);
      socket.off('end', gone);
    });
    return pending;
  }

  private async decide(pending: Pending): Promise<void> {
    try {
      const identity = await this.hooks.authenticate(pending.request, pending.abort.signal);
      if (this.leave(pending)) this.admit(pending, identity);
    } catch (error) {
      if (error instanceof RefusalError) {
        this.dismiss(pending, error);
      } else {
        this.hooks.failed('deciding about a handshake', error);
        this.dismiss(pending, unavailable('The handshake could not be decided'));
      }
    }
  }

  private admit({ request, socket, head }: Pending, identity: ConnectionIdentity): void {
    if (this.hooks.draining()) {
      this.refuse(socket, unavailable('The server is shutting down'));
      return;
    }
    let admitted = false;
    this.server.handleUpgrade(request, socket, head, (ws) => {
      admitted = true;
      // At once: garbage as the first frame would end the process otherwise.
      ws.on('error', ignore);
      socket.off('error', ignore);
      this.hooks.handshake('accepted');
      this.hooks.accepted(ws, socket, request, identity);
    });
    // Not called back: the peer had already left.
    if (!admitted) this.hooks.handshake('aborted');
  }

  /** The peer left before it was decided. */
  private abandon(pending: Pending): void {
    if (!this.leave(pending)) return;
    pending.socket.destroy();
    this.hooks.handshake('aborted');
  }

  private dismiss(pending: Pending, refusal: Refusal): void {
    if (this.leave(pending)) this.refuse(pending.socket, refusal);
  }

  /** `false` when it was decided already. */
  private leave(pending: Pending): boolean {
    if (!this.pending.delete(pending)) return false;
    pending.cancelDeadline();
    pending.abort.abort();
    return true;
  }

  private refuse(socket: Duplex, refusal: Refusal): void {
    this.hooks.handshake(refusal.result);
    refuse(socket, refusal);
  }
}

function ignore(): void {}
