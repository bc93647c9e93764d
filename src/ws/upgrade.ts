import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ConnectionIdentity } from '../core/ports/identity.js';
import type { Clock } from '../core/ports/clock.js';
import type { ClientAddresses } from './client-address.js';
import { dropEmptySubprotocols, handshakeFault, strippedUpgrade, useOriginForm } from './handshake.js';
import { Occupancy, type OccupancyLimits } from './occupancy.js';
import { PendingHandshake } from './pending-handshake.js';
import { Refusal, refuse, respond, serverUnavailable } from './refusal.js';
import type { ServedWebSocket } from './served-web-socket.js';
import type { UpgradeHooks } from './upgrade-hooks.js';
import { makeWebSocketServer } from './websocket-server.js';

export interface UpgradeOptions extends OccupancyLimits {
  readonly path: string;
  readonly upgradeTimeoutMs: number;
  readonly maxMessageBytes: number;
  /** Whether permessage-deflate is agreed to where a client offers it. @default false */
  readonly compress?: boolean;
}

/**
 * The door: every upgrade is decided here, before the 101. No Node timeout covers a pending upgrade, so it has a cap, a
 * deadline, and a set of its own. [L-1.4] [L-1.10]
 */
export class UpgradeHandler {
  /** Who is in is told to it from outside: the door does not see anybody leave. */
  readonly occupancy: Occupancy;
  /** All that guards are still asked about, also those whose peers have left. */
  private readonly pending = new Set<PendingHandshake>();
  /** Those of them that came in this turn of the event loop. */
  private fresh: PendingHandshake[] = [];
  private readonly server: ReturnType<typeof makeWebSocketServer>;

  constructor(
    private readonly options: UpgradeOptions,
    private readonly addresses: ClientAddresses,
    private readonly hooks: UpgradeHooks,
    private readonly clock: Clock,
  ) {
    this.server = makeWebSocketServer(options.maxMessageBytes, options.compress);
    this.occupancy = new Occupancy(options);
  }

  /** Handshakes about which guards are asked, also those whose peer has left. */
  get pendingCount(): number {
    return this.occupancy.pendingCount;
  }

  /** An `upgrade` event; never throws, and owns the socket from here on. */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer, unfinishedResponse: boolean): void {
    // First of all: a peer that resets the connection while it is pending would end the process.
    socket.on('error', ignore);
    const address = this.addresses.of(request);
    const refusal = this.lookOver(request, address, unfinishedResponse);
    if (refusal === undefined) void this.decide(this.enter(request, socket, address, head));
    else this.refuse(socket, address, refusal);
  }

  /** A request that is no upgrade; answers it, and returns true, when a proxy has made it that. Never throws. */
  handleRequest(request: IncomingMessage, response: ServerResponse): boolean {
    const refusal = strippedUpgrade(request, this.options.path);
    if (refusal === undefined) return false;
    this.hooks.handshake(refusal.result, this.addresses.of(request), refusal.reason);
    respond(response, refusal);
    return true;
  }

  /** Refuses everybody who is still pending. */
  refuseAll(): void {
    for (const handshake of this.pending) {
      this.dismiss(handshake, serverUnavailable('The server is shutting down'));
      this.settle(handshake);
    }
  }

  /** What needs nobody to be asked, cheapest first. */
  private lookOver(
    request: IncomingMessage,
    address: string,
    unfinishedResponse: boolean,
  ): Refusal | undefined {
    try {
      if (unfinishedResponse)
        return new Refusal(400, 'An earlier request on this socket is not answered yet');
      const fault = handshakeFault(request, this.options.path);
      if (fault !== undefined) return fault;
      useOriginForm(request);
      if (this.hooks.draining()) return serverUnavailable('The server is shutting down');
      return this.hooks.precheck(request) ?? this.occupancy.refusalOfHandshake(address);
    } catch (error) {
      return this.failed(error);
    }
  }

  private enter(request: IncomingMessage, socket: Duplex, address: string, head: Buffer): PendingHandshake {
    const handshake = new PendingHandshake(request, socket, address, head, this.clock.now());
    this.pending.add(handshake);
    this.occupancy.began(address);
    if (this.fresh.push(handshake) === 1) this.clock.soon(this.watchFresh);
    return handshake;
  }

  /**
   * Guards that need to ask nobody have answered by now, and mostly nothing more has come from a peer: a timer and
   * listeners for each would be a tenth of what a handshake costs.
   */
  private readonly watchFresh = (): void => {
    const { fresh } = this;
    this.fresh = [];
    for (const handshake of fresh) if (this.pending.has(handshake)) this.watch(handshake);
  };

  private watch(handshake: PendingHandshake): void {
    const cancelDeadline = this.clock.after(this.options.upgradeTimeoutMs, () => {
      this.dismiss(handshake, serverUnavailable('The handshake was not decided in time'));
      this.settle(handshake);
    });
    handshake.watch(() => this.abandon(handshake), cancelDeadline);
  }

  private async decide(handshake: PendingHandshake): Promise<void> {
    try {
      const identity = await this.hooks.authenticate(handshake);
      this.admit(handshake, identity);
    } catch (error) {
      this.dismiss(handshake, error instanceof Refusal ? error : this.failed(error));
    }
    this.settle(handshake);
  }

  /**
   * The guards have answered, or their time is up. Not when the peer leaves: they go on, and who comes and leaves again
   * and again would have them work without end. [L-9.13]
   */
  private settle(handshake: PendingHandshake): void {
    if (!this.pending.delete(handshake)) return;
    this.occupancy.decided(handshake.address);
    handshake.settled();
  }

  private admit(handshake: PendingHandshake, identity: ConnectionIdentity): void {
    const { request, socket, address } = handshake;
    const early = handshake.end();
    if (early === undefined) return;
    const refusal = this.hooks.draining()
      ? serverUnavailable('The server is shutting down')
      : this.occupancy.refusalOfConnection(address, identity.user?.id);
    if (refusal !== undefined) {
      this.refuse(socket, address, refusal);
      return;
    }
    let admitted = false;
    // The 101 and the welcome in one write: a system call less, and the peer wakes up once.
    socket.cork();
    dropEmptySubprotocols(request);
    this.server.handleUpgrade(request, socket, early, (ws) => {
      admitted = true;
      socket.off('error', ignore);
      this.accept(ws, handshake, identity);
    });
    socket.uncork();
    // Not called back: the peer had already left.
    if (!admitted) this.hooks.handshake('aborted', address);
  }

  private accept(ws: ServedWebSocket, handshake: PendingHandshake, identity: ConnectionIdentity): void {
    try {
      this.hooks.handshake('accepted', handshake.address);
      this.hooks.accepted(ws, handshake, identity);
      ws.resume();
    } catch (error) {
      this.hooks.failed('accepting a peer', error);
      handshake.socket.uncork();
      ws.terminate();
    }
  }

  /** The peer left before it was decided. */
  private abandon(handshake: PendingHandshake): void {
    if (handshake.end() === undefined) return;
    handshake.socket.destroy();
    this.hooks.handshake('aborted', handshake.address);
  }

  private dismiss(handshake: PendingHandshake, refusal: Refusal): void {
    if (handshake.end() !== undefined) this.refuse(handshake.socket, handshake.address, refusal);
  }

  private failed(error: unknown): Refusal {
    this.hooks.failed('deciding about a handshake', error);
    return serverUnavailable('The handshake could not be decided');
  }

  private refuse(socket: Duplex, address: string, refusal: Refusal): void {
    this.hooks.handshake(refusal.result, address, refusal.reason);
    refuse(socket, refusal);
  }
}

function ignore(): void {}
