import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { isObservable, lastValueFrom } from 'rxjs';

/**
 * Asks guards in their order, as Nest does, but without a promise if all of them answer at once.
 *
 * @param refusal - makes the error that is thrown if one of them says no
 * @returns a promise from the first guard that gives no boolean, else `undefined`
 */
export function askGuards(
  guards: readonly CanActivate[],
  context: ExecutionContext,
  refusal: () => Error,
  first = 0,
): Promise<void> | undefined {
  for (let i = first; i < guards.length; i++) {
    const answer = guards[i]?.canActivate(context);
    if (typeof answer !== 'boolean')
      return askOn(answer, () => askGuards(guards, context, refusal, i + 1), refusal);
    if (!answer) throw refusal();
  }
  return undefined;
}

async function askOn(
  answer: unknown,
  next: () => Promise<void> | undefined,
  refusal: () => Error,
): Promise<void> {
  const value: unknown = await answer;
  const passed: unknown = isObservable(value) ? await lastValueFrom(value) : value;
  if (!passed) throw refusal();
  await next();
}
