/** Bytes that may wait for all peers: little, so that what is above it can be seen. */
export const maxQueuedBytesTotal = 33_554_432;

/** Bytes that the broker in memory keeps at most, its default. */
export const memoryBrokerBytes = 67_108_864;
