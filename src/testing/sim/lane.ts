import type { Timeline } from './timeline.js';

/** A unit sent over a connection. */
export type Parcel =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'opened' | 'ping' | 'pong' }
  | { readonly kind: 'closed'; readonly code: number; readonly reason: string };

/**
 * One direction of a connection: ordered and delayed; everything due at one moment arrives
 * together.
 */
export class Lane {
  latencyMs = 1;
  /** Nothing arrives anymore, including parcels in flight. */
  dead = false;
  private lastMs = -1;
  private segment: Parcel[] | undefined;

  constructor(
    private readonly timeline: Timeline,
    private readonly arrived: (parcels: readonly Parcel[]) => void,
  ) {}

  send(parcel: Parcel): void {
    if (this.dead) return;
    const { nowMs } = this.timeline;
    const atMs = Math.max(nowMs + this.latencyMs, this.lastMs);
    if (atMs === this.lastMs && this.segment !== undefined) {
      this.segment.push(parcel);
      return;
    }
    const segment = [parcel];
    this.segment = segment;
    this.lastMs = atMs;
    this.timeline.in(atMs - nowMs, () => {
      if (this.segment === segment) this.segment = undefined;
      if (!this.dead) this.arrived(segment);
    });
  }
}
