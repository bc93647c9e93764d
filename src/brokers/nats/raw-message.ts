/** A message as the server gives it. */
export interface FoundMessage {
  readonly subject: string;
  readonly seq: number;
  readonly time: Date;
  readonly data: Uint8Array;
}

/** A message as the stream stores it. */
export interface RawMessage {
  /** The stream's incarnation. */
  readonly stream: string;
  readonly subject: string;
  readonly seq: number;
  readonly atMs: number;
  readonly data: Uint8Array;
}

/** The last message of a subject, and the stream incarnation that was queried. */
export interface LastMessage {
  readonly stream: string;
  readonly message: RawMessage | undefined;
}

/** The message, with the incarnation of the stream that it is in. */
export function raw(stream: string, { subject, seq, time, data }: FoundMessage): RawMessage {
  return { stream, subject, seq, atMs: time.getTime(), data };
}
