/**
 * A line that says whether a target was met.
 *
 * @param {string} promise
 * @param {boolean} met
 * @param {string} seen the figure
 */
export function targetLine(promise, met, seen) {
  return `Target: ${promise}: ${met ? 'met' : 'MISSED'} (${seen}).\n`;
}
