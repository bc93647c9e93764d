/** Bytes of JSON that one message has as its data; what a peer wraps around it is its own affair. */
export const payloadBytes = 240;

const fields = {
  vehicle: 'tram-4711',
  line: '12',
  lat: 52.520_008,
  lon: 13.404_954,
  speed: 11.3,
  heading: 271,
};

const padding = 'x'.repeat(payloadBytes - JSON.stringify({ at: nowMicros(), ...fields, note: '' }).length);

/** The data of one message: a vehicle's position, with the instant at which it was published. */
export function makePayload() {
  return { at: nowMicros(), ...fields, note: padding };
}

/** Microseconds of the system's monotonic clock, which all processes of a machine share. */
export function nowMicros() {
  return Number(process.hrtime.bigint() / 1_000n);
}

const mark = Buffer.from('"at":');

/** When the message in `bytes[start, end)` was published, by the same clock; `undefined` if it does not say. */
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
