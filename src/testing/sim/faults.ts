/**
 * Faults that must never happen, by name:
 * - `order`: an event that does not follow the last one: a gap, a duplicate, or an old event
 * - `unsubscribed`: an event without a subscription: it overtook the answer, or came after the end
 * - `data`: an event or answer that differs from its publication, such as another topic's
 * - `recovery`: `recovered` contradicts the history
 * - `snapshot`: older than its position, missing, unexpected, or different from the publications
 * - `answer`: a request that is not answered exactly once, in order, by the right type
 * - `rights`: a topic delivered to a user without permission, or refused to a user with permission
 * - `canceled`: a canceled subscribe that began anyway
 * - `expired`: data after the end of a credential
 * - `bounds`: more is held, queued or accepted than the limits allow
 * - `maps`: registry, hub and connections disagree
 * - `behind`: all is quiet, but a subscriber misses something
 * - `leftover`: a counter or timer that is not 0 at the end, or a connection that a drain forgot
 * - `failure`: an internal error
 * - `application`: the client contradicted itself or the publications
 */
export type Rule =
  | 'order'
  | 'unsubscribed'
  | 'data'
  | 'recovery'
  | 'snapshot'
  | 'answer'
  | 'rights'
  | 'canceled'
  | 'expired'
  | 'bounds'
  | 'maps'
  | 'behind'
  | 'leftover'
  | 'failure'
  | 'application';

/** A fault that happened. */
export interface Fault {
  /** The rule that was broken. */
  readonly rule: Rule;
  /** What happened, with its time and its client. */
  readonly text: string;
}

/** Reports a fault. */
export type Tell = (rule: Rule, text: string) => void;
