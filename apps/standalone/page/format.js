const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const oneDigit = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** @param {number} value */
export const count = (value) => (Math.abs(value) >= 100_000 ? compact.format(value) : whole.format(value));

/** @param {number} value */
export const decimal = (value) => oneDigit.format(value);

/** @param {number} value three digits are enough, and fit a tile */
const short = (value) => (value < 100 ? oneDigit : whole).format(value);

/** @param {number} value */
export function bytes(value) {
  if (value < 1024) return `${whole.format(value)} B`;
  if (value < 1024 ** 2) return `${short(value / 1024)} KiB`;
  if (value < 1024 ** 3) return `${short(value / 1024 ** 2)} MiB`;
  return `${short(value / 1024 ** 3)} GiB`;
}

/** @param {number} seconds */
export function duration(seconds) {
  const [d, h, m] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  if (d > 0) return `${d} d ${h} h`;
  if (h > 0) return `${h} h ${m} m`;
  if (m >= 10) return `${m} min`;
  return m > 0 ? `${m} m ${Math.floor(seconds % 60)} s` : `${Math.floor(seconds)} s`;
}

/** @param {number} part */
const two = (part) => String(part).padStart(2, '0');

/** @param {number} time milliseconds since 1970 */
export function clock(time) {
  const date = new Date(time);
  const day = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${day}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}
