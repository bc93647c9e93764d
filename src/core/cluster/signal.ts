/** Closes the connections of a user. */
export interface DisconnectUser {
  readonly verb: 'disconnect-user';
  readonly user: string;
  readonly code: number;
  readonly reason: string;
}

/** Ends a user's subscriptions to a topic. */
export interface UnsubscribeUser {
  readonly verb: 'unsubscribe-user';
  readonly user: string;
  readonly topic: string;
  readonly reason: string;
}

/** Asks again for the right to read: of a user, of a topic's subscribers, or of a user on a topic. */
export interface Reauthorize {
  readonly verb: 'reauthorize';
  readonly user?: string;
  readonly topic?: string;
}

/** Counts the subscribers of a topic. */
export interface CountTopic {
  readonly verb: 'count';
  readonly topic: string;
}

/** What every instance is told to do. Each does it once, however often it is told. */
export type Command = DisconnectUser | UnsubscribeUser | Reauthorize | CountTopic;

/** What the instances said to a command. */
export interface ClusterCount {
  /** Of all instances that have answered. */
  readonly total: number;
  /** By `instanceId`; this instance is always there, unless it could not finish in time. */
  readonly byInstance: Readonly<Record<string, number>>;
  /**
   * Instances that are known and have not answered within 2 s, by `instanceId`. They are told again, for ten minutes and as
   * soon as they are heard of.
   */
  readonly missing: readonly string[];
}

/** Grows when a signal changes so that an older instance would misread it; unknown fields alone are ignored. */
export const signalVersion = 1;

/** An instance is here. Said now and then, and as an answer to one that was not known. */
export interface Hello {
  readonly type: 'hello';
  readonly instanceId: string;
  /** How many changes of presence it has told so far: whoever has heard fewer asks for all of it. */
  readonly seq: number;
}

/** An instance leaves, and will not be heard of again. */
export interface Bye {
  readonly type: 'bye';
}

export interface Do {
  readonly type: 'do';
  /** Unique for its sender. */
  readonly id: number;
  /** Milliseconds since it was asked for: what came later is not meant. */
  readonly ageMs: number;
  /** Keys of those who have not answered; absent: everybody. */
  readonly to?: readonly string[];
  readonly command: Command;
}

/** The answer to a `do`. */
export interface Done {
  readonly type: 'done';
  /** Key of who asked. */
  readonly to: string;
  readonly id: number;
  readonly instanceId: string;
  readonly count: number;
}

/**
 * How one user attends a topic on one instance now: the connections, 0 while it may come back, -1 when it has left; and
 * what the topic shows of the user, as JSON text of an object.
 */
export type Attendance = readonly [topic: string, user: string, connections: number, fields: string];

/** What has changed on the sender. */
export interface Changes {
  readonly type: 'changes';
  /** Rises by one with each. */
  readonly seq: number;
  readonly changes: readonly Attendance[];
}

/** Asks one instance for all that it has. */
export interface Ask {
  readonly type: 'ask';
  readonly to: string;
}

/** One part of all that the sender has. */
export interface State {
  readonly type: 'state';
  /** The changes that are in it. */
  readonly seq: number;
  readonly part: number;
  readonly parts: number;
  readonly members: readonly Attendance[];
}

export type SignalBody = Hello | Bye | Do | Done | Changes | Ask | State;

/** What instances say to each other; `from` is the sender's key, a new one at each of its starts. */
export type Signal = SignalBody & { readonly from: string };

export function signalText(from: string, body: SignalBody): string {
  return JSON.stringify({ v: signalVersion, from, ...body });
}
