/** Bytes of JSON in one position. What a peer adds around it does not count. */
export const payloadBytes = 240;

/** Bytes of JSON in a message about a fleet. */
export const fleetBytes = 1_024;

const fields = {
  vehicle: 'tram-4711',
  line: '12',
  lat: 52.520_008,
  lon: 13.404_954,
  speed: 11.3,
  heading: 271,
};

const padding = 'x'.repeat(payloadBytes - JSON.stringify({ at: nowMicros(), ...fields, note: '' }).length);

/** The data of a message, with the time of its publication. */
export const payloads = {
  /** A vehicle's position, 240 bytes. */
  position: () => ({ at: nowMicros(), ...fields, note: padding }),
  /** Positions of some vehicles, 1 KB, different in each message, as compression meets them. */
  fleet: () => {
    const vehicles = [];
    const message = { at: nowMicros(), vehicles, note: '' };
    for (let bytes = 40; bytes < fleetBytes - 100; bytes += JSON.stringify(vehicles.at(-1)).length + 1) {
      vehicles.push(someVehicle());
    }
    message.note = '.'.repeat(fleetBytes - JSON.stringify(message).length);
    return message;
  },
};

let lot = 1;

/**
 * Reproducible pseudo-random numbers (the linear congruential generator of "Numerical Recipes").
 */
function drawn(below) {
  lot = (Math.imul(lot, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((lot / 2 ** 32) * below);
}

function someVehicle() {
  return {
    vehicle: `tram-${String(1_000 + drawn(9_000))}`,
    line: String(drawn(40)),
    lat: 52 + drawn(1e6) / 1e6,
    lon: 13 + drawn(1e6) / 1e6,
    speed: drawn(200) / 10,
    heading: drawn(360),
  };
}

/**
 * Microseconds since 1970, the same in all processes. Bun's monotonic clock differs per process.
 */
export function nowMicros() {
  return Math.round((performance.timeOrigin + performance.now()) * 1_000);
}

const mark = Buffer.from('"at":');

/** When the message in `bytes[start, end)` was published, or `undefined` if it does not say. */
export function publishedAt(bytes, start, end) {
  const found = bytes.indexOf(mark, start);
  if (found < 0 || found >= end) return undefined;
  let micros = 0;
  for (let i = found + mark.length; i < end; i++) {
    const digit = bytes[i] - 0x30;
    if (digit < 0 || digit > 9) break;
    micros = micros * 10 + digit;
  }
  return micros;
}
