/** Bytes that may be queued for all peers. Small, so that an excess is visible. */
export const maxQueuedBytesTotal = 33_554_432;

/** Maximum bytes that the memory broker keeps, its default. */
export const memoryBrokerBytes = 67_108_864;
