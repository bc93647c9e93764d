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

/**
 * Repeats the authorization to subscribe: for a user, for the subscribers of a topic, or for a user
 * on a topic.
 */
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

/** A command to every instance. Each executes it once, however often it is sent. */
export type Command = DisconnectUser | UnsubscribeUser | Reauthorize | CountTopic;

/** The answers of the instances to a command. */
export interface ClusterCount {
  /** Sum over all instances that answered. */
  readonly total: number;
  /** By `instanceId`. Includes this instance unless it could not finish in time. */
  readonly byInstance: Readonly<Record<string, number>>;
  /**
   * Known instances that have not answered within 2 s, by `instanceId`. The command is sent to them
   * again for ten minutes, and as soon as they are heard from.
   */
  readonly missing: readonly string[];
}

/** Incremented when older instances would misread a signal. Unknown fields alone are ignored. */
export const signalVersion = 1;

/** Announces an instance. Sent periodically, and in reply to a previously unknown instance. */
export interface Hello {
  readonly type: 'hello';
  readonly instanceId: string;
  /** Number of presence changes sent so far. A receiver that has fewer requests the full state. */
  readonly seq: number;
}

/** The instance is leaving and will not be heard from again. */
export interface Bye {
  readonly type: 'bye';
}

export interface Do {
  readonly type: 'do';
  /** Unique per sender. */
  readonly id: number;
  /** Milliseconds since the command was given. Later connections are not affected. */
  readonly ageMs: number;
  /** Keys of the instances that have not answered. Absent: all instances. */
  readonly to?: readonly string[];
  readonly command: Command;
}

/** The answer to a `do`. */
export interface Done {
  readonly type: 'done';
  /** Key of the instance that sent the command. */
  readonly to: string;
  readonly id: number;
  readonly instanceId: string;
  readonly count: number;
}

/** In place of a user: all subscribers of the topic together. No user has an empty id. */
export const everybody = '';

/**
 * Attendance of one user at a topic on one instance: the number of connections, 0 while the user
 * may come back, -1 after leaving; and the exposed fields, as JSON text of an object.
 */
export type Attendance = readonly [topic: string, user: string, connections: number, fields: string];

/** Changes on the sender. */
export interface Changes {
  readonly type: 'changes';
  /** Incremented with each message. */
  readonly seq: number;
  readonly changes: readonly Attendance[];
}

/** Requests the full state of one instance. */
export interface Ask {
  readonly type: 'ask';
  readonly to: string;
}

/** One part of the sender's full state. */
export interface State {
  readonly type: 'state';
  /** Number of the last change included. */
  readonly seq: number;
  readonly part: number;
  readonly parts: number;
  readonly members: readonly Attendance[];
}

/** A `POST` to an event stream's session on another instance. [L-12.11] */
export interface SealedPost {
  /** Hash of the session's secret, so that the secret itself is neither kept nor passed on. */
  readonly session: string;
  /** What was posted, encrypted, because everybody on the engine can read and write signals. */
  readonly sealed: string;
}

/** What became of a `POST`. [L-12.8] */
export type PostResult = keyof typeof postResults;

/** An object, so that a signal's text can be looked up in it. */
export const postResults = {
  taken: true,
  'unknown-session': true,
  'other-user': true,
  'out-of-order': true,
  busy: true,
  'too-large': true,
  unanswered: true,
} as const;

/** Forwards a `POST` to the instance that has its session. */
export interface Post {
  readonly type: 'post';
  /** Key of that instance. */
  readonly to: string;
  /** Unique per sender. */
  readonly id: number;
  readonly posted: SealedPost;
}

/** The answer to a `post`. */
export interface PostAnswer {
  readonly type: 'post-answer';
  /** Key of the instance that forwarded it. */
  readonly to: string;
  readonly id: number;
  readonly result: PostResult;
}

export type SignalBody = Hello | Bye | Do | Done | Changes | Ask | State | Post | PostAnswer;

/** A message between instances. `from` is the sender's key, which is new at every start. */
export type Signal = SignalBody & { readonly from: string };

export function signalText(from: string, body: SignalBody): string {
  return JSON.stringify({ v: signalVersion, from, ...body });
}
