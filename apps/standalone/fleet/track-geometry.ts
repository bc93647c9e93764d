import type { TrackPoint } from './track.js';

const metersPerDegree = 111_320;

/**
 * A place on a track and the direction of travel there: degrees clockwise from north, 0 ≤ heading <
 * 360.
 */
export interface TrackPlace {
  readonly lon: number;
  readonly lat: number;
  readonly headingDegrees: number;
}

interface Vertex {
  readonly x: number;
  readonly y: number;
  readonly stop: string | undefined;
  /** Distance from the first vertex along the track. */
  readonly atMeters: number;
}

/** A closed track as a line in meters. */
export class TrackGeometry {
  readonly lengthMeters: number;
  readonly stops: readonly { readonly name: string; readonly atMeters: number }[];
  private readonly vertices: readonly Vertex[];
  private readonly metersPerDegreeLon: number;

  constructor(points: readonly TrackPoint[]) {
    if (points.length < 3) throw new RangeError(`A track needs at least 3 points, not ${points.length}.`);
    this.metersPerDegreeLon = metersPerDegree * Math.cos(((points[0]?.[1] ?? 0) * Math.PI) / 180);
    const vertices: Vertex[] = [];
    let atMeters = 0;
    for (const [lon, lat, stop] of points) {
      const [x, y] = [lon * this.metersPerDegreeLon, lat * metersPerDegree];
      const before = vertices.at(-1);
      if (before) atMeters += Math.hypot(x - before.x, y - before.y);
      vertices.push({ x, y, stop, atMeters });
    }
    const [first, last] = [vertices[0]!, vertices.at(-1)!];
    this.vertices = vertices;
    this.lengthMeters = atMeters + Math.hypot(first.x - last.x, first.y - last.y);
    this.stops = vertices.flatMap(({ stop, atMeters }) =>
      stop === undefined ? [] : [{ name: stop, atMeters }],
    );
  }

  /** The place `meters` along the track. Any number is valid, since the track is closed. */
  placeAt(meters: number): TrackPlace {
    const { x, y } = this.pointAt(meters);
    return {
      lon: x / this.metersPerDegreeLon,
      lat: y / metersPerDegree,
      headingDegrees: this.headingAt(meters, 16),
    };
  }

  /**
   * Direction of the chord of `chordMeters` around a place, since a vehicle turns on two bogies.
   */
  headingAt(meters: number, chordMeters: number): number {
    const rear = this.pointAt(meters - chordMeters / 2);
    const front = this.pointAt(meters + chordMeters / 2);
    return (Math.atan2(front.x - rear.x, front.y - rear.y) * (180 / Math.PI) + 360) % 360;
  }

  private pointAt(meters: number): { x: number; y: number } {
    const wrapped = ((meters % this.lengthMeters) + this.lengthMeters) % this.lengthMeters;
    let [low, high] = [0, this.vertices.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.vertices[middle]!.atMeters <= wrapped) low = middle;
      else high = middle - 1;
    }
    const from = this.vertices[low]!;
    const to = this.vertices[(low + 1) % this.vertices.length]!;
    const share = (wrapped - from.atMeters) / (Math.hypot(to.x - from.x, to.y - from.y) || 1);
    return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
  }
}
