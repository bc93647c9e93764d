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
export interface Reauthorise {
  readonly verb: 'reauthorise';
  readonly user?: string;
  readonly topic?: string;
}

/** Counts the subscribers of a topic. */
export interface CountTopic {
  readonly verb: 'count';
  readonly topic: string;
}

/** What every instance is told to do. Each does it once, however often it is told. */
export type Command = DisconnectUser | UnsubscribeUser | Reauthorise | CountTopic;

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
