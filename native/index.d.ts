/**
 * Writes to sockets by their descriptors, in one call. For the option `sendBatch` of nestjs-live's
 * `LiveModule`. `undefined` where the package has no binary: outside of Linux on x64 and arm64, and
 * in Bun and Deno. nestjs-live then writes through Node's streams, as it does without the package.
 *
 * @param count - rows to read
 * @param rows - for each write three integers: a descriptor, the index of its bytes in `buffers`,
 *   and, afterwards, the number of bytes that the system took, or a negative error number
 */
export declare const sendBatch:
  ((count: number, rows: Int32Array, buffers: readonly Uint8Array[]) => void) | undefined;
