import { isPrivate, networkOf } from './ip-address.js';
import { type HandshakeResult, Refusal } from './refusal.js';

/** Maximum counts; 0 means no limit. */
export interface OccupancyLimits {
  readonly maxConnections: number;
  readonly maxConnectionsPerUser: number;
  readonly maxConnectionsPerAddress: number;
  readonly maxPendingUpgrades: number;
  readonly maxPendingUpgradesPerAddress: number;
  /**
   * The same for private addresses: all clients behind a proxy that is not in `trustedProxies`
   * share its address.
   */
  readonly maxPendingUpgradesPerPrivateAddress: number;
}

/** `Retry-After` in seconds: a connection may last long, a pending handshake does not. */
const retryAfter = { connection: 5, handshake: 1 } as const;

/**
 * Counts connections and pending handshakes: in total, by address and by user. Checked before the
 * guards run, because it is cheap, and again on admission, because others may have connected in
 * between. [L-9.13]
 */
export class Occupancy {
  /** Open connections. */
  connectionCount = 0;
  /** Handshakes not decided yet. */
  pendingCount = 0;
  private readonly byUser = new Counts();
  private readonly byAddress = new Counts();
  private readonly pendingByAddress = new Counts();
  /** The lower of the two limits per address; `Infinity` if there is none. */
  private readonly lowestPendingLimit: number;

  constructor(private readonly limits: OccupancyLimits) {
    const { maxPendingUpgradesPerAddress, maxPendingUpgradesPerPrivateAddress } = limits;
    this.lowestPendingLimit = Math.min(
      maxPendingUpgradesPerAddress || Infinity,
      maxPendingUpgradesPerPrivateAddress || Infinity,
    );
  }

  /** Addresses and users that have a count; 0 once everyone has left. */
  get remembered(): number {
    return this.byUser.size + this.byAddress.size + this.pendingByAddress.size;
  }

  /**
   * Returns why this address may not begin a handshake now, if it may not; or a request of an open
   * connection, if it `opens` none.
   */
  refusalOfHandshake(address: string, opens = true): Refusal | undefined {
    if (this.pendingCount >= this.limits.maxPendingUpgrades)
      return refusal(503, 'max-pending', 'Too many handshakes are pending');
    const pending = this.pendingByAddress.of(networkOf(address));
    // Classifying the address costs more than every other check here, so it comes last.
    if (pending >= this.lowestPendingLimit && isReached(this.pendingLimit(address), pending))
      return refusal(429, 'max-pending-per-address', 'Too many handshakes from this address are pending');
    return opens ? this.refusalOfConnection(address, undefined) : undefined;
  }

  /** Returns why this address or this user may not connect now, if it may not. */
  refusalOfConnection(address: string, userId: string | undefined): Refusal | undefined {
    const { maxConnections, maxConnectionsPerAddress, maxConnectionsPerUser } = this.limits;
    if (isReached(maxConnections, this.connectionCount))
      return refusal(503, 'max-connections', 'The server is full');
    if (isReached(maxConnectionsPerAddress, this.byAddress.of(networkOf(address))))
      return refusal(429, 'max-connections-per-address', 'Too many connections from this address');
    if (userId !== undefined && isReached(maxConnectionsPerUser, this.byUser.of(userId)))
      return refusal(429, 'max-connections-per-user', 'Too many connections by this user');
    return undefined;
  }

  began(address: string): void {
    this.countHandshake(address, 1);
  }

  decided(address: string): void {
    this.countHandshake(address, -1);
  }

  entered(address: string, userId: string | undefined): void {
    this.countConnection(address, userId, 1);
  }

  left(address: string, userId: string | undefined): void {
    this.countConnection(address, userId, -1);
  }

  private countHandshake(address: string, by: 1 | -1): void {
    this.pendingCount += by;
    if (this.lowestPendingLimit < Infinity) this.pendingByAddress.add(networkOf(address), by);
  }

  /** Stores no counts for limits that are off. */
  private countConnection(address: string, userId: string | undefined, by: 1 | -1): void {
    this.connectionCount += by;
    if (this.limits.maxConnectionsPerAddress > 0) this.byAddress.add(networkOf(address), by);
    if (this.limits.maxConnectionsPerUser > 0 && userId !== undefined) this.byUser.add(userId, by);
  }

  private pendingLimit(address: string): number {
    const { maxPendingUpgradesPerAddress, maxPendingUpgradesPerPrivateAddress } = this.limits;
    return isPrivate(address) ? maxPendingUpgradesPerPrivateAddress : maxPendingUpgradesPerAddress;
  }
}

/** Counts by name; drops a name when its count reaches 0. */
class Counts {
  private readonly counts = new Map<string, number>();

  get size(): number {
    return this.counts.size;
  }

  of(name: string): number {
    return this.counts.get(name) ?? 0;
  }

  add(name: string, by: 1 | -1): void {
    const count = this.of(name) + by;
    if (count === 0) this.counts.delete(name);
    else this.counts.set(name, count);
  }
}

function isReached(limit: number, count: number): boolean {
  return limit > 0 && count >= limit;
}

function refusal(status: 429 | 503, result: HandshakeResult, message: string): Refusal {
  const seconds = result.startsWith('max-pending') ? retryAfter.handshake : retryAfter.connection;
  return new Refusal(status, message, { 'Retry-After': String(seconds) }, result);
}
