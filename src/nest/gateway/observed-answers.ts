import { Observable } from 'rxjs';
import { Answers } from '../../core/inbound/reply.js';

/** The values of an Observable until the peer leaves. [L-2.13] */
export class ObservedAnswers extends Answers {
  constructor(
    private readonly values: Observable<unknown>,
    readonly mayRepeat: boolean,
  ) {
    super();
  }

  forEach(next: (value: unknown) => void): Promise<void> {
    return this.values.forEach(next);
  }
}
