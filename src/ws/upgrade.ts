import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { types } from 'node:util';
import { Turns } from '../core/connection/turns.js';
import type { ConnectionIdentity } from '../core/ports/identity.js';
import type { Clock } from '../core/ports/clock.js';
import type { ClientAddresses } from './client-address.js';
import { dropEmptySubprotocols, handshakeFault, strippedUpgrade } from './handshake.js';
import { useOriginForm } from './request-path.js';
import { Occupancy, type OccupancyLimits } from './occupancy.js';
import { PendingHandshake } from './pending-handshake.js';
import { Refusal, refuse, respond, serverUnavailable } from './refusal.js';
import type { ServedWebSocket } from './ws-socket.js';
import type { UpgradeHooks } from './upgrade-hooks.js';
import { makeWebSocketServer } from './websocket-server.js';

/** Those of a turn take some 10 ms with a token. Each that waits holds a socket and its headers. */
const handshakeTurns = { perTurn: 32, maxWaiting: 4_096 } as const;

export interface UpgradeOptions extends OccupancyLimits {
  readonly path: string;
  readonly upgradeTimeoutMs: number;
  readonly maxMessageBytes: number;
  /** Whether to accept permessage-deflate if a client offers it. @default false */
  readonly compress?: boolean;
}

/** An upgrade as Node hands it over. */
interface Arrival {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly unfinishedResponse: boolean;
}

/**
 * Decides every upgrade, before the 101. Node has no timeout for a pending upgrade, so this class
 * bounds their number and their time. [L-1.4] [L-1.10]
 */
export class UpgradeHandler {
  /** Its owner reports connections: this class does not see them close. */
  readonly occupancy: Occupancy;
  /** Handshakes whose guards still run, including those whose peers have left. */
  private readonly pending = new Set<PendingHandshake>();
  /** Pending handshakes that began in this turn of the event loop. */
  private fresh: PendingHandshake[] = [];
  private readonly server: ReturnType<typeof makeWebSocketServer>;
  private readonly turns: Turns<Arrival>;

  constructor(
    private readonly options: UpgradeOptions,
    private readonly addresses: ClientAddresses,
    private readonly hooks: UpgradeHooks,
    private readonly clock: Clock,
  ) {
    this.server = makeWebSocketServer(options.maxMessageBytes, options.compress);
    this.occupancy = new Occupancy(options);
    this.turns = new Turns(clock, handshakeTurns, (arrival) => this.begin(arrival));
  }

  /** Number of handshakes whose guards still run, including those whose peers have left. */
  get pendingCount(): number {
    return this.occupancy.pendingCount;
  }

  /** Handles an `upgrade` event. Never throws, and owns the socket from here on. */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer, unfinishedResponse: boolean): void {
    // This must come first: a reset of the socket without a listener would end the process.
    socket.on('error', ignore);
    this.turns.add({ request, socket, head, unfinishedResponse });
  }

  private begin({ request, socket, head, unfinishedResponse }: Arrival): void {
    const address = this.addresses.of(request);
    const refusal = this.check(request, address, unfinishedResponse);
    if (refusal === undefined) this.decide(request, socket, address, head);
    else this.refuse(socket, address, refusal);
  }

  /**
   * Handles a plain request. Answers it and returns true if a proxy stripped it of its upgrade.
   * Never throws.
   */
  handleRequest(request: IncomingMessage, response: ServerResponse): boolean {
    const refusal = strippedUpgrade(request, this.options.path);
    if (refusal === undefined) return false;
    this.hooks.handshake(refusal.result, this.addresses.of(request), refusal.reason);
    respond(response, refusal);
    return true;
  }

  /** Refuses every pending handshake. */
  refuseAll(): void {
    for (const handshake of this.pending) {
      this.dismiss(handshake, serverUnavailable('The server is shutting down'));
      this.settle(handshake);
    }
  }

  /** Checks what needs no guard, cheapest first. */
  private check(request: IncomingMessage, address: string, unfinishedResponse: boolean): Refusal | undefined {
    try {
      if (unfinishedResponse)
        return new Refusal(400, 'An earlier request on this socket is still unanswered');
      const fault = handshakeFault(request, this.options.path);
      if (fault !== undefined) return fault;
      useOriginForm(request);
      if (this.hooks.draining()) return serverUnavailable('The server is shutting down');
      return this.hooks.precheck(request) ?? this.occupancy.refusalOfHandshake(address);
    } catch (error) {
      return this.failed(error);
    }
  }

  /** Guards that answer at once leave no pending handshake, and cost no promise. */
  private decide(request: IncomingMessage, socket: Duplex, address: string, head: Buffer): void {
    const handshake = new PendingHandshake(request, socket, address, head, this.clock.now());
    try {
      const identity = this.hooks.authenticate(handshake);
      if (types.isPromise(identity)) void this.decideLater(handshake, identity);
      else this.admit(handshake, identity);
    } catch (error) {
      this.deny(handshake, error);
    }
  }

  private async decideLater(
    handshake: PendingHandshake,
    identity: Promise<ConnectionIdentity>,
  ): Promise<void> {
    this.pending.add(handshake);
    this.occupancy.began(handshake.address);
    if (this.fresh.push(handshake) === 1) this.clock.soon(this.watchFresh);
    try {
      this.admit(handshake, await identity);
    } catch (error) {
      this.deny(handshake, error);
    }
    this.settle(handshake);
  }

  /**
   * By now promises of guards without I/O have resolved, mostly before the peer sent anything else.
   * A timer and listeners for each handshake would add a tenth to its cost.
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

  /**
   * Called when the guards have answered or timed out, but not when the peer leaves: guards keep
   * running, and peers that reconnect in a loop would otherwise start any number of them. [L-9.13]
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
    // Send the 101 and the welcome in one write, which saves a system call and wakes the peer once.
    socket.cork();
    dropEmptySubprotocols(request);
    this.server.handleUpgrade(request, socket, early, (ws) => {
      admitted = true;
      socket.off('error', ignore);
      this.accept(ws, handshake, identity);
    });
    socket.uncork();
    // No callback means that the peer had already left.
    if (!admitted) this.hooks.handshake('aborted', address);
  }

  private accept(ws: ServedWebSocket, handshake: PendingHandshake, identity: ConnectionIdentity): void {
    try {
      this.hooks.handshake('accepted', handshake.address);
      this.hooks.accepted(ws, handshake, identity);
      ws.resume();
    } catch (error) {
      this.hooks.failed('accepting a connection', error);
      handshake.socket.uncork();
      ws.terminate();
    }
  }

  /** The peer left before the decision. */
  private abandon(handshake: PendingHandshake): void {
    if (handshake.end() === undefined) return;
    handshake.socket.destroy();
    this.hooks.handshake('aborted', handshake.address);
  }

  private dismiss(handshake: PendingHandshake, refusal: Refusal): void {
    if (handshake.end() !== undefined) this.refuse(handshake.socket, handshake.address, refusal);
  }

  private deny(handshake: PendingHandshake, error: unknown): void {
    this.dismiss(handshake, error instanceof Refusal ? error : this.failed(error));
  }

  private failed(error: unknown): Refusal {
    this.hooks.failed('deciding a handshake', error);
    return serverUnavailable('The handshake could not be decided');
  }

  private refuse(socket: Duplex, address: string, refusal: Refusal): void {
    this.hooks.handshake(refusal.result, address, refusal.reason);
    refuse(socket, refusal);
  }
}

function ignore(): void {}
