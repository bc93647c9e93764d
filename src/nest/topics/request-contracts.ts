import type { Type } from '@nestjs/common';
import { requestOptionsOf } from '../gateway/live-request.decorator.js';
import { RequestContract } from '../gateway/request-contract.js';
import type { ValidateMode } from '../options/live-contract.options.js';
import { checkOf, scopeOf } from './topic-contract.js';

/**
 * Makes the checks of a handler, if it declares schemas. What clients send is checked as their
 * publications are, and answers as snapshots are.
 *
 * @throws Error if something is no schema, or the mode is unknown
 */
export async function requestContractOf(
  gateway: Type,
  method: string,
  mode: ValidateMode,
): Promise<RequestContract | undefined> {
  const options = requestOptionsOf(gateway, method);
  if (options === undefined) return undefined;
  const name = `${gateway.name}.${method}`;
  const { data, answer, validate = mode } = options;
  const scope = scopeOf(validate, name);
  const [checkData, checkAnswer] = await Promise.all([
    checkOf(data, `data of ${name}`),
    checkOf(answer, `answer of ${name}`),
  ]);
  if (scope === 'nothing') return undefined;
  return new RequestContract(name, checkData, scope === 'everything' ? checkAnswer : undefined);
}
