import type { LiveLimits } from '../../core/ports/limits.js';
import { isPosition, type Position } from '../../protocol/position.js';
import type { Disturbances } from './mishaps.js';
import type { Publications } from './publications.js';
import type { SimPolicy } from './sim-policy.js';

/** What the checker knows beside the transcripts. */
export interface AnswerRules {
  readonly publications: Publications;
  readonly policy: SimPolicy;
  readonly limits: LiveLimits;
  now(): number;
  wallMs(): number;
  /** How long the process stood still, in all. */
  stalledMs(): number;
  /** What may have gone wrong with the topic in this run: questions about rights, or about its data. */
  mayFail(topic: string): { readonly rights: boolean; readonly data: boolean };
  readonly disturbances: Disturbances;
}

/** A request as the server took it in. */
export interface Request {
  readonly type: string;
  readonly id: unknown;
  /** '' where there is none. */
  readonly topic: string;
  readonly message: Readonly<Record<string, unknown>>;
  /** It breaks the protocol on purpose. */
  readonly odd: boolean;
  readonly since: Position | undefined;
  /** Whether everything after `since` was there when the request came. */
  readonly recoverable: boolean;
  /** Whether more was published after `since` already than one recovery may send. */
  readonly tooMuch: boolean;
  /** An unsubscribe came while this was being handled. [L-3.7] */
  cancelled: boolean;
  /** The same, if it was not answered already. */
  mayBeCancelled: boolean;
}

/** What a text asks for: several things where it names several topics. [L-3.14] */
export function requestsOf(text: string, rules: AnswerRules): Request[] {
  const { topics, ...message } = parsed(text);
  if (!Array.isArray(topics)) return [requestOf(message, rules)];
  return topics.map((each: unknown) => {
    const fields = typeof each === 'object' ? each : { topic: each };
    return requestOf({ ...message, ...fields }, rules);
  });
}

function requestOf(
  message: Readonly<Record<string, unknown>>,
  { publications, policy, now }: AnswerRules,
): Request {
  const { type, id, odd, since, topic: name } = message;
  const topic = typeof name === 'string' ? name : '';
  const position = isPosition(since) ? since : undefined;
  const history = policy.rulesFor(topic)?.history;
  return {
    type: typeof type === 'string' ? type : '',
    id,
    topic,
    message,
    odd: type === undefined || odd === true,
    since: position,
    recoverable: position !== undefined && publications.recoverable(topic, position, history, now()),
    tooMuch: position !== undefined && publications.tooMuchSince(topic, position),
    cancelled: false,
    mayBeCancelled: false,
  };
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}
