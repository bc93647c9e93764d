import type { TrackPoint } from './track.js';

const metresPerDegree = 111_320;

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
  readonly atMetres: number;
}

/** A closed track as a line in meters. */
export class TrackGeometry {
  readonly lengthMetres: number;
  readonly stops: readonly { readonly name: string; readonly atMetres: number }[];
  private readonly vertices: readonly Vertex[];
  private readonly metresPerDegreeLon: number;

  constructor(points: readonly TrackPoint[]) {
    if (points.length < 3) throw new RangeError(`A track needs at least 3 points, not ${points.length}.`);
    this.metresPerDegreeLon = metresPerDegree * Math.cos(((points[0]?.[1] ?? 0) * Math.PI) / 180);
    const vertices: Vertex[] = [];
    let atMetres = 0;
    for (const [lon, lat, stop] of points) {
      const [x, y] = [lon * this.metresPerDegreeLon, lat * metresPerDegree];
      const before = vertices.at(-1);
      if (before) atMetres += Math.hypot(x - before.x, y - before.y);
      vertices.push({ x, y, stop, atMetres });
    }
    const [first, last] = [vertices[0]!, vertices.at(-1)!];
    this.vertices = vertices;
    this.lengthMetres = atMetres + Math.hypot(first.x - last.x, first.y - last.y);
    this.stops = vertices.flatMap(({ stop, atMetres }) =>
      stop === undefined ? [] : [{ name: stop, atMetres }],
    );
  }

  /** The place `metres` along the track. Any number is valid, since the track is closed. */
  placeAt(metres: number): TrackPlace {
    const { x, y } = this.pointAt(metres);
    return {
      lon: x / this.metresPerDegreeLon,
      lat: y / metresPerDegree,
      headingDegrees: this.headingAt(metres, 16),
    };
  }

  /**
   * Direction of the chord of `chordMetres` around a place, since a vehicle turns on two bogies.
   */
  headingAt(metres: number, chordMetres: number): number {
    const rear = this.pointAt(metres - chordMetres / 2);
    const front = this.pointAt(metres + chordMetres / 2);
    return (Math.atan2(front.x - rear.x, front.y - rear.y) * (180 / Math.PI) + 360) % 360;
  }

  private pointAt(metres: number): { x: number; y: number } {
    const wrapped = ((metres % this.lengthMetres) + this.lengthMetres) % this.lengthMetres;
    let [low, high] = [0, this.vertices.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.vertices[middle]!.atMetres <= wrapped) low = middle;
      else high = middle - 1;
    }
    const from = this.vertices[low]!;
    const to = this.vertices[(low + 1) % this.vertices.length]!;
    const share = (wrapped - from.atMetres) / (Math.hypot(to.x - from.x, to.y - from.y) || 1);
    return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
  }
}
