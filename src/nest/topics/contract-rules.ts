import { Logger } from '@nestjs/common';
import { type SchemaCheck, isLater, mismatch } from '../../core/ports/contract.js';
import type { TopicRules } from '../../core/ports/policy.js';
import { JsonText } from '../../core/frame/json-text.js';
import { SnapshotAt } from '../../core/stream/snapshot-at.js';
import type { SchemaResult } from '../../protocol/standard-schema.js';
import type { TopicContract } from './topic-contract.js';
import type { TopicParams } from './topic-pattern.js';

const logger = new Logger('Live');

/** The part of a topic's rules that comes from its schemas. */
export function contractRules({ data, clientData, key, clientKey }: TopicContract): Partial<TopicRules> {
  return {
    ...(data !== undefined && { checkData: data }),
    ...(clientData !== undefined && { checkClientData: clientData }),
    ...(key !== undefined && { checkKey: key }),
    ...(clientKey !== undefined && { checkClientKey: clientKey }),
  };
}

/**
 * The rules of a topic whose parameters are wrong: nobody declared it. Clients are answered as for
 * any such topic, so they learn nothing about the patterns. [L-3.17]
 */
export const undeclared = (wrongParams: string): TopicRules => ({
  canSubscribe: () => false,
  canPublish: () => false,
  wrongParams,
});

/** What the schema makes of a topic's parameters. It must answer at once, as the policy does. */
export function checkedParams(
  check: SchemaCheck | undefined,
  params: TopicParams,
  topic: string,
): SchemaResult {
  if (check === undefined) return { value: params };
  let problem = 'is asynchronous, and must answer at once';
  let cause: unknown;
  try {
    const result = check({ ...params });
    if (!isLater(result)) return result;
    result.then(undefined, () => {});
  } catch (error) {
    problem = 'threw';
    cause = error;
  }
  logger.error(new Error(`The schema of the params of ${topic} ${problem}`, { cause }));
  return { issues: [{ message: problem }] };
}

/** Checks what `snapshot()` returned: the state, also within `snapshotAt`. [L-6.9] */
export function checkedSnapshot(check: SchemaCheck, topic: string, returned: unknown): unknown {
  if (isLater(returned)) return returned.then((state) => checkedSnapshot(check, topic, state));
  if (returned === undefined) return undefined;
  if (returned instanceof SnapshotAt) {
    const at = (state: unknown): SnapshotAt => new SnapshotAt(returned.position, state);
    const state = checkedSnapshot(check, topic, returned.state);
    return isLater(state) ? state.then(at) : at(state);
  }
  const result = check(returned instanceof JsonText ? returned.value : returned);
  return isLater(result) ? result.then((later) => stateOf(topic, later)) : stateOf(topic, result);
}

/** The error is logged, and clients are answered `unavailable`, as for any failed snapshot. */
function stateOf(topic: string, result: SchemaResult): unknown {
  if (result.issues === undefined) return result.value;
  throw new Error(`snapshot() of ${topic}: ${mismatch('snapshot', result.issues)}`);
}
