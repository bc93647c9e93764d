import * as v from 'valibot';

/** Schema of `payloads.position()`: eight fields, none of them optional. */
export const positionSchema = v.object({
  at: v.number(),
  vehicle: v.string(),
  line: v.string(),
  lat: v.number(),
  lon: v.number(),
  speed: v.number(),
  heading: v.number(),
  note: v.string(),
});
