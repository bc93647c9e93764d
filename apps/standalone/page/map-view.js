const metersPerDegree = 111_320;

/**
 * @typedef {readonly [lon: number, lat: number, stop?: string]} TrackPoint
 *
 * A flat view of a whole track, with the same scale in both directions. It is exact enough for an
 * area of the size of a town.
 * @typedef {object} MapView
 * @property {(lon: number, lat: number) => {x: number, y: number}} project
 * @property {number} metersPerPixel
 * @property {{x: number, y: number}} middle
 * @property {number} width
 * @property {number} height
 */

/**
 * @param {readonly TrackPoint[]} track
 * @param {number} width
 * @param {number} height
 * @param {number} padding
 * @returns {MapView}
 */
export function viewOf(track, width, height, padding) {
  const [lons, lats] = [track.map(([lon]) => lon), track.map(([, lat]) => lat)];
  const [west, east] = [Math.min(...lons), Math.max(...lons)];
  const [south, north] = [Math.min(...lats), Math.max(...lats)];
  const [middleLon, middleLat] = [(west + east) / 2, (south + north) / 2];
  const narrowing = Math.cos((middleLat * Math.PI) / 180);
  const metersPerPixel = Math.max(
    ((east - west) * metersPerDegree * narrowing) / Math.max(1, width - 2 * padding),
    ((north - south) * metersPerDegree) / Math.max(1, height - 2 * padding),
    0.01,
  );
  const pixelsPerDegree = metersPerDegree / metersPerPixel;
  return {
    project: (lon, lat) => ({
      x: width / 2 + (lon - middleLon) * narrowing * pixelsPerDegree,
      y: height / 2 - (lat - middleLat) * pixelsPerDegree,
    }),
    metersPerPixel,
    middle: { x: width / 2, y: height / 2 },
    width,
    height,
  };
}

/**
 * The direction from one point toward the other, with a length of one pixel.
 * @param {{x: number, y: number}} from
 * @param {{x: number, y: number}} to
 */
export function direction(from, to) {
  const [x, y] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(x, y) || 1;
  return { x: x / length, y: y / length };
}

/**
 * @typedef {{left: number, top: number, width: number, height: number}} Box
 * @param {Box} a
 * @param {Box} b
 */
export function overlaps(a, b) {
  const apart = a.left > b.left + b.width || b.left > a.left + a.width;
  return !apart && a.top <= b.top + b.height && b.top <= a.top + a.height;
}
