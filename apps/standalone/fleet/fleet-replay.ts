import { RunProfile } from './run-profile.js';
import { TrackGeometry } from './track-geometry.js';
import type { TrackPoint } from './track.js';

/** One vehicle at one moment, as sent to clients. */
export interface Vehicle {
  readonly id: string;
  readonly lat: number;
  readonly lon: number;
  /** Degrees clockwise from north, 0 ≤ heading < 360. */
  readonly headingDegrees: number;
  readonly speedKmh: number;
  /** `A` runs in the order of the track's points, `B` against it. */
  readonly line: string;
}

export interface FleetReplayOptions {
  /** Number of vehicles in both directions together. @default 12 */
  readonly vehicles?: number;
}

/** The snapshot for a new subscriber of the fleet. */
export interface FleetSnapshot {
  readonly track: readonly TrackPoint[];
  readonly vehicles: readonly Vehicle[];
}

interface Line {
  readonly name: string;
  readonly track: TrackGeometry;
  readonly profile: RunProfile;
}

/**
 * Vehicles on a closed track. Their positions depend only on the time, so every instance shows the
 * same ones and a restart changes nothing. It has no clock and publishes nothing itself.
 */
export class FleetReplay {
  private readonly lines: readonly [Line, Line];
  private readonly vehicles: number;

  constructor(
    private readonly track: readonly TrackPoint[],
    options: FleetReplayOptions = {},
  ) {
    this.vehicles = options.vehicles ?? 12;
    if (!Number.isInteger(this.vehicles) || this.vehicles < 1) {
      throw new RangeError(`FleetReplay: vehicles must be a whole number from 1, not ${this.vehicles}.`);
    }
    this.lines = [line('A', track), line('B', track.toReversed())];
  }

  /** All vehicles, always in the same order, at `timeMs` since 1970. */
  positionsAt(timeMs: number): readonly Vehicle[] {
    return Array.from({ length: this.vehicles }, (_, index) => this.vehicleAt(index, timeMs));
  }

  /** The track and all vehicles at `timeMs` since 1970. */
  snapshotAt(timeMs: number): FleetSnapshot {
    return { track: this.track, vehicles: this.positionsAt(timeMs) };
  }

  private vehicleAt(index: number, timeMs: number): Vehicle {
    const { name, track, profile } = this.lines[index % 2 === 0 ? 0 : 1];
    const onThisLine = Math.ceil((this.vehicles - (index % 2)) / 2);
    const place = Math.floor(index / 2);
    const share = (place + unevenness(place)) / onThisLine;
    const run = profile.stateAt(timeMs / 1000 + share * profile.roundSeconds);
    const { lon, lat, headingDegrees } = track.placeAt(run.atMeters);
    return {
      id: `${name}${place + 1}`,
      lat: rounded(lat, 6),
      lon: rounded(lon, 6),
      headingDegrees: rounded(headingDegrees, 1) % 360,
      speedKmh: rounded(run.metersPerSecond * 3.6, 1),
      line: name,
    };
  }
}

function line(name: string, points: readonly TrackPoint[]): Line {
  const track = new TrackGeometry(points);
  return { name, track, profile: new RunProfile(track) };
}

/**
 * Varies the distances by up to 0.13, so that they look uneven and no vehicle overtakes another.
 */
function unevenness(place: number): number {
  return (((place * 37) % 11) - 5) / 40;
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
