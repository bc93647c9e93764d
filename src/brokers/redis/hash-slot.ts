/** Hash slots of a Redis cluster. */
export const slotCount = 16_384;

const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 0x80_00) === 0 ? crc << 1 : (crc << 1) ^ 0x10_21;
  return crc;
});

/**
 * The slot of an ASCII key, as the Redis cluster specification defines it: CRC16-CCITT (XMODEM) of
 * the text between the first `{` and the next `}`, or of the whole key.
 */
export function hashSlot(key: string): number {
  const open = key.indexOf('{');
  const close = key.indexOf('}', open + 1);
  const tagged = open !== -1 && close > open + 1;
  let crc = 0;
  for (let i = tagged ? open + 1 : 0; i < (tagged ? close : key.length); i++)
    crc = ((crc << 8) ^ (table[((crc >> 8) ^ key.charCodeAt(i)) & 0xff] ?? 0)) & 0xff_ff;
  return crc % slotCount;
}
