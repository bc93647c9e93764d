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
import { type Candidate, type HandshakeOwner, PendingHandshake } from './pending-handshake.js';
import { Refusal, respond, serverUnavailable } from './refusal.js';
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

/**
 * Decides every upgrade, before the 101, and by the same rules the candidates of other doors. Node
 * has no timeout for a pending upgrade, so this class bounds their number and their time. [L-1.4]
 * [L-1.10]
 */
export class UpgradeHandler implements HandshakeOwner {
  /** Its owner reports connections: this class does not see them close. */
  readonly occupancy: Occupancy;
  /** Handshakes whose guards still run, including those whose peers have left. */
  private readonly pending = new Set<Candidate>();
  /** Pending handshakes that began in this turn of the event loop. */
  private fresh: Candidate[] = [];
  private readonly server: ReturnType<typeof makeWebSocketServer>;
  private readonly turns: Turns<Candidate>;

  constructor(
    private readonly options: UpgradeOptions,
    private readonly addresses: ClientAddresses,
    private readonly hooks: UpgradeHooks,
    private readonly clock: Clock,
  ) {
    this.server = makeWebSocketServer(options.maxMessageBytes, options.compress);
    this.occupancy = new Occupancy(options);
    this.turns = new Turns(clock, handshakeTurns, (candidate) => this.begin(candidate));
  }

  /** Number of handshakes whose guards still run, including those whose peers have left. */
  get pendingCount(): number {
    return this.occupancy.pendingCount;
  }

  /** Handles an `upgrade` event. Never throws, and owns the socket from here on. */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer, unfinishedResponse: boolean): void {
    // This must come first: a reset of the socket without a listener would end the process.
    socket.on('error', ignore);
    const address = this.addresses.of(request);
    const startedMs = this.clock.now();
    this.consider(new PendingHandshake(request, socket, address, head, startedMs, unfinishedResponse, this));
  }

  /** Decides on a candidate, in its turn if it opens a connection. */
  consider(candidate: Candidate): void {
    if (candidate.opens) this.turns.add(candidate);
    else this.begin(candidate);
  }

  private begin(candidate: Candidate): void {
    const refusal = this.check(candidate);
    if (refusal === undefined) this.decide(candidate);
    else this.refuse(candidate, refusal);
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
  private check(candidate: Candidate): Refusal | undefined {
    const { request, address, opens } = candidate;
    try {
      const fault = candidate.fault();
      if (fault !== undefined) return fault;
      useOriginForm(request);
      if (opens && this.hooks.draining()) return serverUnavailable('The server is shutting down');
      return this.hooks.precheck(request, opens) ?? this.occupancy.refusalOfHandshake(address, opens);
    } catch (error) {
      return this.failed(error);
    }
  }

  faultOf({ request, unfinishedResponse }: PendingHandshake): Refusal | undefined {
    if (unfinishedResponse) return new Refusal(400, 'An earlier request on this socket is still unanswered');
    return handshakeFault(request, this.options.path);
  }

  /** Guards that answer at once leave no pending handshake, and cost no promise. */
  private decide(candidate: Candidate): void {
    try {
      const identity = this.hooks.authenticate(candidate);
      if (types.isPromise(identity)) void this.decideLater(candidate, identity);
      else this.pass(candidate, identity);
    } catch (error) {
      this.deny(candidate, error);
    }
  }

  private async decideLater(handshake: Candidate, identity: Promise<ConnectionIdentity>): Promise<void> {
    this.pending.add(handshake);
    this.occupancy.began(handshake.address);
    if (this.fresh.push(handshake) === 1) this.clock.soon(this.watchFresh);
    try {
      this.pass(handshake, await identity);
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

  private watch(handshake: Candidate): void {
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
  private settle(handshake: Candidate): void {
    if (!this.pending.delete(handshake)) return;
    this.occupancy.decided(handshake.address);
    handshake.settled();
  }

  private pass(candidate: Candidate, identity: ConnectionIdentity): void {
    if (!candidate.end()) return;
    const refusal = candidate.opens ? this.refusalNow(candidate, identity) : undefined;
    if (refusal === undefined) candidate.admit(identity);
    else this.refuse(candidate, refusal);
  }

  private refusalNow({ address }: Candidate, { user }: ConnectionIdentity): Refusal | undefined {
    if (this.hooks.draining()) return serverUnavailable('The server is shutting down');
    return this.occupancy.refusalOfConnection(address, user?.id);
  }

  admit(handshake: PendingHandshake, identity: ConnectionIdentity): void {
    const { request, socket, address, early } = handshake;
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
  private abandon(candidate: Candidate): void {
    if (!candidate.end()) return;
    candidate.drop();
    this.hooks.handshake('aborted', candidate.address);
  }

  private dismiss(candidate: Candidate, refusal: Refusal): void {
    if (candidate.end()) this.refuse(candidate, refusal);
  }

  private deny(candidate: Candidate, error: unknown): void {
    this.dismiss(candidate, error instanceof Refusal ? error : this.failed(error));
  }

  private failed(error: unknown): Refusal {
    this.hooks.failed('deciding a handshake', error);
    return serverUnavailable('The handshake could not be decided');
  }

  private refuse(candidate: Candidate, refusal: Refusal): void {
    this.hooks.handshake(refusal.result, candidate.address, refusal.reason);
    candidate.refuse(refusal);
  }
}

function ignore(): void {}
