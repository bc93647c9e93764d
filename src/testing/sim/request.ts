import type { LiveLimits } from '../../core/ports/limits.js';
import { isPosition, type Position } from '../../protocol/position.js';
import type { Disturbances } from './mishaps.js';
import type { Publications } from './publications.js';
import type { SimPolicy } from './sim-policy.js';

/** What the checker knows besides the transcripts. */
export interface AnswerRules {
  readonly publications: Publications;
  readonly policy: SimPolicy;
  readonly limits: LiveLimits;
  now(): number;
  wallMs(): number;
  /** Total time of stalls. */
  stalledMs(): number;
  /**
   * What may have failed with the topic in this run: its authorization, or anything about its data.
   */
  mayFail(topic: string): { readonly rights: boolean; readonly data: boolean };
  readonly disturbances: Disturbances;
}

/** A request as the server received it. */
export interface Request {
  readonly type: string;
  readonly id: unknown;
  /** '' if there is none. */
  readonly topic: string;
  readonly message: Readonly<Record<string, unknown>>;
  /** Whether it breaks the protocol on purpose. */
  readonly odd: boolean;
  readonly since: Position | undefined;
  /** Whether everything after `since` was available when the request arrived. */
  readonly recoverable: boolean;
  /** Whether more had been published after `since` than one recovery may send. */
  readonly tooMuch: boolean;
  /** Whether an unsubscribe arrived while this was being handled. [L-3.7] */
  canceled: boolean;
  /** The same, but it may already have been answered. */
  mayBeCancelled: boolean;
}

/** The requests in a text; several if it names several topics. [L-3.14] */
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
    canceled: false,
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
