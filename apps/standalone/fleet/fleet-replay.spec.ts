import { describe, expect, it } from 'vitest';
import { FleetReplay, type Vehicle } from './fleet-replay.js';
import { track, type TrackPoint } from './track.js';

const start = Date.UTC(2026, 0, 5, 8);
const metersPerDegree = 111_320;

function metersBetween(a: Vehicle | TrackPoint, b: Vehicle | TrackPoint): number {
  const [lonA, latA] = 'lon' in a ? [a.lon, a.lat] : a;
  const [lonB, latB] = 'lon' in b ? [b.lon, b.lat] : b;
  const east = (lonA - lonB) * metersPerDegree * Math.cos((latA * Math.PI) / 180);
  return Math.hypot(east, (latA - latB) * metersPerDegree);
}

/** One vehicle, second by second. */
function ride(id: string, seconds: number): Vehicle[] {
  const fleet = new FleetReplay(track, { vehicles: 12 });
  return Array.from({ length: seconds }, (_, second) =>
    fleet.positionsAt(start + second * 1000).find((vehicle) => vehicle.id === id)!,
  );
}

describe('fleet replay', () => {
  it('the fleet is the same in every instance at the same time', () => {
    const one = new FleetReplay(track, { vehicles: 12 }).positionsAt(start);
    const two = new FleetReplay(track, { vehicles: 12 }).positionsAt(start);
    expect(two).toEqual(one);
    expect(new FleetReplay(track, { vehicles: 12 }).positionsAt(start + 1000)).not.toEqual(one);
  });

  it('the fleet has the requested number of vehicles, with distinct ids, on two lines', () => {
    for (const vehicles of [1, 2, 7, 12]) {
      const all = new FleetReplay(track, { vehicles }).positionsAt(start);
      expect(new Set(all.map(({ id }) => id)).size).toBe(vehicles);
    }
    const lines = new FleetReplay(track).positionsAt(start).map(({ line }) => line);
    expect(lines.toSorted().join('')).toBe('AAAAAABBBBBB');
  });

  it('FleetReplay rejects an invalid number of vehicles and an invalid track', () => {
    expect(() => new FleetReplay(track, { vehicles: 0 })).toThrow(
      'vehicles must be a whole number from 1, not 0',
    );
    expect(() => new FleetReplay(track, { vehicles: 1.5 })).toThrow(RangeError);
    expect(() => new FleetReplay(track.slice(0, 2))).toThrow('at least 3 points');
  });

  it('each vehicle moves as far as its speed says and never jumps', () => {
    for (const id of ['A1', 'B4']) {
      const seconds = ride(id, 1200);
      for (const [index, vehicle] of seconds.entries()) {
        const before = seconds[index - 1];
        if (!before) continue;
        const meant = (before.speedKmh + vehicle.speedKmh) / 2 / 3.6;
        expect(Math.abs(metersBetween(before, vehicle) - meant)).toBeLessThan(0.8);
      }
    }
  });

  it('vehicles keep to 50 km/h and accelerate gently', () => {
    const seconds = ride('A2', 1200);
    for (const [index, { speedKmh }] of seconds.entries()) {
      expect(speedKmh).toBeGreaterThanOrEqual(0);
      expect(speedKmh).toBeLessThanOrEqual(50);
      expect(Math.abs(speedKmh - (seconds[index - 1]?.speedKmh ?? speedKmh))).toBeLessThanOrEqual(3.8);
    }
    expect(Math.max(...seconds.map(({ speedKmh }) => speedKmh))).toBeGreaterThan(40);
  });

  it('vehicles wait at every stop of the track and nowhere else', () => {
    const stops = track.filter(([, , name]) => name !== undefined);
    const standing = ride('B1', 1200).filter(({ speedKmh }) => speedKmh === 0);
    const visited = standing.map((vehicle) => stops.find((stop) => metersBetween(stop, vehicle) < 5)?.[2]);
    expect(visited).not.toContain(undefined);
    expect(new Set(visited)).toEqual(new Set(stops.map(([, , name]) => name)));
    expect(standing.length).toBeGreaterThan(stops.length * 15);
  });

  it('vehicles head in their direction of travel', () => {
    const seconds = ride('A3', 300);
    for (const [index, vehicle] of seconds.entries()) {
      const next = seconds[index + 1];
      if (!next || metersBetween(vehicle, next) < 5) continue;
      const east = (next.lon - vehicle.lon) * Math.cos((vehicle.lat * Math.PI) / 180);
      const bearing = (Math.atan2(east, next.lat - vehicle.lat) * 180) / Math.PI;
      const apart = Math.abs(((vehicle.headingDegrees - bearing + 540) % 360) - 180);
      expect(apart).toBeLessThan(20);
    }
  });

  it('vehicles on a line keep their distance and never overtake', () => {
    const fleet = new FleetReplay(track);
    for (let second = 0; second < 1200; second += 5) {
      const lineA = fleet.positionsAt(start + second * 1000).filter(({ line }) => line === 'A');
      for (const [index, vehicle] of lineA.entries()) {
        expect(metersBetween(vehicle, lineA[(index + 1) % lineA.length]!)).toBeGreaterThan(30);
      }
    }
  });

  it('positions exist for any time, before 1970 and in the far future', () => {
    const fleet = new FleetReplay(track);
    for (const time of [-1, 0, 8.64e15]) {
      for (const vehicle of fleet.positionsAt(time)) {
        expect(Math.min(...track.map((point) => metersBetween(point, vehicle)))).toBeLessThan(150);
      }
    }
  });

  it('the snapshot has the track and all vehicles', () => {
    const fleet = new FleetReplay(track);
    expect(fleet.snapshotAt(start)).toEqual({ track, vehicles: fleet.positionsAt(start) });
  });
});
