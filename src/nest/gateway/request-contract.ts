import { concatMap, from, isObservable, of } from 'rxjs';
import { isLater, mismatch, type SchemaCheck } from '../../core/ports/contract.js';
import { LiveError } from '../../protocol/live.error.js';
import type { SchemaResult } from '../../protocol/standard-schema.js';

type Message = Readonly<Record<string, unknown>>;

/** Checks the data of a request before its handler runs, and what the handler returns. */
export class RequestContract {
  /** @param name - names the handler in an error */
  constructor(
    private readonly name: string,
    private readonly data: SchemaCheck | undefined,
    private readonly answer: SchemaCheck | undefined,
  ) {}

  /** Calls a handler with the checked message, and checks its result. [L-2.13] */
  around(message: unknown, call: (checked: unknown) => unknown): unknown {
    const checked = this.data === undefined ? message : this.checkedMessage(message as Message, this.data);
    const result = isLater(checked) ? checked.then(call) : call(checked);
    return this.answer === undefined ? result : this.checkedResult(result, this.answer);
  }

  private checkedMessage(message: Message, check: SchemaCheck): unknown {
    const result = check(message['data']);
    const withData = (later: SchemaResult): Message => {
      if (later.issues === undefined) return { ...message, data: later.value };
      throw new LiveError('validation-failed', mismatch('data', later.issues, 'request'));
    };
    return isLater(result) ? result.then(withData) : withData(result);
  }

  private checkedResult(result: unknown, check: SchemaCheck): unknown {
    if (isLater(result)) return result.then((value) => this.checkedResult(value, check));
    if (!isObservable(result)) return this.checkedAnswer(result, check);
    return result.pipe(
      concatMap((value) => {
        const answer = this.checkedAnswer(value, check);
        return isLater(answer) ? from(answer) : of(answer);
      }),
    );
  }

  private checkedAnswer(value: unknown, check: SchemaCheck): unknown {
    const answerOf = (result: SchemaResult): unknown => {
      if (result.issues === undefined) return result.value;
      throw new Error(`The answer of ${this.name}: ${mismatch('answer', result.issues, 'request')}`);
    };
    const result = check(value);
    return isLater(result) ? result.then(answerOf) : answerOf(result);
  }
}
