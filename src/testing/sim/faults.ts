/**
 * What must never happen, by name:
 * - `order`: an event that is not the one after the last: a gap, a duplicate, or an old one
 * - `unsubscribed`: an event of a topic without a subscription: it overtook the answer, or came after the end
 * - `data`: an event, or an answer, that says something else than what was published there: another topic's, for example
 * - `recovery`: `recovered` is not what the history says
 * - `snapshot`: older than its position, not there, there when it must not be, or not what was published
 * - `answer`: a request that is not answered exactly once, in its turn, by its kind
 * - `rights`: a topic for who may not read it, or a refusal to who may
 * - `cancelled`: a subscribe that was taken back and began all the same
 * - `expired`: data for a credential that has ended
 * - `bounds`: more is held, queued or accepted than the limits say
 * - `maps`: registry, hub and connections do not agree
 * - `behind`: all is quiet, and a subscriber has not got everything
 * - `leftover`: a counter or timer that is not back to nothing at the end
 * - `failure`: an error of ours
 * - `application`: what the client told its application contradicts itself or what was published
 */
export type Rule =
  | 'order'
  | 'unsubscribed'
  | 'data'
  | 'recovery'
  | 'snapshot'
  | 'answer'
  | 'rights'
  | 'cancelled'
  | 'expired'
  | 'bounds'
  | 'maps'
  | 'behind'
  | 'leftover'
  | 'failure'
  | 'application';

/** Something that must never happen, and did. */
export interface Fault {
  readonly rule: Rule;
  readonly text: string;
}

/** Where faults are told. */
export type Tell = (rule: Rule, text: string) => void;
