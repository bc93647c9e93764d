/**
 * @typedef {object} Vehicle
 * @property {string} id
 * @property {number} lat
 * @property {number} lon
 * @property {number} headingDegrees
 * @property {number} speedKmh
 * @property {string} line
 *
 * @typedef {Vehicle & {opacity: number, silentMs: number}} Shown
 * @typedef {{from: Vehicle, to: Vehicle, heardAt: number, everyMs: number}} Track
 */

const silentAfterMs = 10_000;
const fadeMs = 2_000;
const faintest = 0.3;
const forgottenAfterMs = 300_000;
const jumpDegrees = 0.005;

/**
 * The place of each vehicle between two updates. It moves to its last known place within the usual
 * time between updates.
 */
export class FleetMotion {
  /** @type {Map<string, Track>} */
  #tracks = new Map();

  /** Replaces all vehicles. @param {readonly Vehicle[]} vehicles @param {number} now */
  replace(vehicles, now) {
    const ids = new Set(vehicles.map(({ id }) => id));
    for (const id of this.#tracks.keys()) if (!ids.has(id)) this.#tracks.delete(id);
    for (const vehicle of vehicles) this.update(vehicle, now);
  }

  /** @param {Vehicle} vehicle @param {number} now */
  update(vehicle, now) {
    const known = this.#tracks.get(vehicle.id);
    if (!known) {
      this.#tracks.set(vehicle.id, { from: vehicle, to: vehicle, heardAt: now, everyMs: 1000 });
      return;
    }
    const sinceMs = Math.max(50, Math.min(3000, now - known.heardAt));
    const here = between(known, now);
    const jumps = Math.hypot(vehicle.lat - here.lat, vehicle.lon - here.lon) > jumpDegrees;
    known.from = jumps ? vehicle : here;
    known.to = vehicle;
    known.heardAt = now;
    known.everyMs += (sinceMs - known.everyMs) * 0.3;
  }

  /** @param {number} now @returns {Shown[]} */
  at(now) {
    /** @type {Shown[]} */
    const shown = [];
    for (const [id, track] of this.#tracks) {
      const silentMs = now - track.heardAt;
      if (silentMs > forgottenAfterMs) this.#tracks.delete(id);
      const faded = Math.max(0, Math.min(1, (silentMs - silentAfterMs) / fadeMs));
      shown.push({ ...between(track, now), opacity: 1 - faded * (1 - faintest), silentMs });
    }
    return shown;
  }
}

/** @param {Track} track @param {number} now @returns {Vehicle} */
function between({ from, to, heardAt, everyMs }, now) {
  // Slightly longer than the interval, so that the next update usually arrives before the end.
  const share = Math.max(0, Math.min(1, (now - heardAt) / (everyMs * 1.15)));
  const turn = ((to.headingDegrees - from.headingDegrees + 540) % 360) - 180;
  return {
    ...to,
    lat: from.lat + (to.lat - from.lat) * share,
    lon: from.lon + (to.lon - from.lon) * share,
    headingDegrees: (from.headingDegrees + turn * share + 360) % 360,
  };
}
