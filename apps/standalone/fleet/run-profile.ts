import type { TrackGeometry } from './track-geometry.js';

const nodeMeters = 5;
const topSpeed = 50 / 3.6;
const slowestCurve = 15 / 3.6;
const acceleration = 1;
const sidewaysAcceleration = 0.9;
const curveMeters = 40;
const dwellSeconds = [18, 24, 20, 28, 22];

/** The place that a run has reached, and its speed there. */
export interface RunState {
  readonly atMeters: number;
  readonly metersPerSecond: number;
}

/**
 * One round over a track as a driver would run it: as fast as curves allow, with a wait at each
 * stop. Speeds are computed once per node, so that a lookup is a binary search.
 */
export class RunProfile {
  readonly roundSeconds: number;
  private readonly nodeLength: number;
  private readonly speeds: readonly number[];
  private readonly arrivals: readonly number[];
  private readonly dwells: ReadonlyMap<number, number>;

  constructor(track: TrackGeometry) {
    const count = Math.max(8, Math.ceil(track.lengthMeters / nodeMeters));
    this.nodeLength = track.lengthMeters / count;
    this.dwells = new Map(
      track.stops.map(({ atMeters }, index) => [
        Math.round(atMeters / this.nodeLength) % count,
        dwellSeconds[index % dwellSeconds.length]!,
      ]),
    );
    const limits = Array.from({ length: count }, (_, node) =>
      this.dwells.has(node) ? 0 : curveSpeed(track, node * this.nodeLength),
    );
    this.speeds = drivable(limits, this.nodeLength);
    const arrivals: number[] = [];
    let seconds = 0;
    for (let node = 0; node < count; node++) {
      arrivals.push(seconds);
      seconds += (this.dwells.get(node) ?? 0) + this.secondsToNext(node);
    }
    this.arrivals = arrivals;
    this.roundSeconds = seconds;
  }

  /** The state `seconds` into the round. Any finite number is valid, since rounds repeat. */
  stateAt(seconds: number): RunState {
    const inRound = ((seconds % this.roundSeconds) + this.roundSeconds) % this.roundSeconds;
    const node = this.lastNodeBefore(inRound);
    const speed = this.speeds[node]!;
    const running = inRound - this.arrivals[node]! - (this.dwells.get(node) ?? 0);
    if (running <= 0) return { atMeters: node * this.nodeLength, metersPerSecond: 0 };
    const gain = (this.speedAfter(node) - speed) / this.secondsToNext(node);
    return {
      atMeters: node * this.nodeLength + speed * running + (gain * running ** 2) / 2,
      metersPerSecond: speed + gain * running,
    };
  }

  private speedAfter(node: number): number {
    return this.speeds[(node + 1) % this.speeds.length]!;
  }

  private secondsToNext(node: number): number {
    return (2 * this.nodeLength) / Math.max(0.5, this.speeds[node]! + this.speedAfter(node));
  }

  private lastNodeBefore(seconds: number): number {
    let [low, high] = [0, this.arrivals.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.arrivals[middle]! <= seconds) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function curveSpeed(track: TrackGeometry, atMeters: number): number {
  const before = track.headingAt(atMeters - curveMeters / 2, 10);
  const after = track.headingAt(atMeters + curveMeters / 2, 10);
  const turn = Math.abs(((after - before + 540) % 360) - 180) * (Math.PI / 180);
  const speed = Math.sqrt((sidewaysAcceleration * curveMeters) / Math.max(turn, 1e-6));
  return Math.min(topSpeed, Math.max(slowestCurve, speed));
}

/**
 * Limits speeds to what can be driven: forward for acceleration, backward for braking. Goes around
 * twice because the track is closed.
 */
function drivable(limits: readonly number[], nodeLength: number): readonly number[] {
  const speeds = [...limits];
  const gain = 2 * acceleration * nodeLength;
  const count = speeds.length;
  const ease = (node: number, neighbor: number): void => {
    speeds[node] = Math.min(speeds[node]!, Math.sqrt(speeds[neighbor]! ** 2 + gain));
  };
  for (let step = 1; step <= 2 * count; step++) ease(step % count, (step - 1) % count);
  for (let step = 2 * count; step >= 1; step--) ease((step - 1) % count, step % count);
  return speeds;
}
