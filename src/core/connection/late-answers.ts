/** Maximum number of checks kept, equal to the open checks allowed per connection. [L-9.15] */
const maxKept = 16;

interface Question {
  readonly answer: Promise<unknown>;
  readonly askedMs: number;
  /** Whether its caller has given up. */
  isLate: boolean;
}

/**
 * The pending authorization checks of one connection. A client that retries after a timeout gets
 * the answer to its first check. [L-3.4] A change of rights invalidates every earlier check.
 */
export class LateAnswers {
  private readonly questions = new Map<string, Question>();

  /** Records a check when it starts. A late answer reflects the rights of that moment. */
  note(topic: string, right: string, answer: Promise<unknown>, now: number): void {
    const key = keyOf(topic, right);
    if (this.questions.get(key)?.answer === answer) return;
    this.questions.delete(key);
    const [oldest] = this.questions.keys();
    if (oldest !== undefined && this.questions.size >= maxKept) this.questions.delete(oldest);
    const question: Question = { answer, askedMs: now, isLate: false };
    this.questions.set(key, question);
    answer.then(
      () => {
        if (!question.isLate) this.drop(topic, right, answer);
      },
      // A failure is no answer, so the next try asks the application again.
      () => this.drop(topic, right, answer),
    );
  }

  /** The caller has given up. The answer is kept for the next try. */
  giveUp(topic: string, right: string, answer: Promise<unknown>): void {
    const question = this.questions.get(keyOf(topic, right));
    if (question?.answer === answer) question.isLate = true;
  }

  /** Returns the late answer to a check that started after `sinceMs`. */
  find(topic: string, right: string, sinceMs: number): Promise<unknown> | undefined {
    const question = this.questions.get(keyOf(topic, right));
    return question?.isLate === true && question.askedMs > sinceMs ? question.answer : undefined;
  }

  /** Removes an answer that was used. */
  drop(topic: string, right: string, answer: Promise<unknown>): void {
    const key = keyOf(topic, right);
    if (this.questions.get(key)?.answer === answer) this.questions.delete(key);
  }

  /** The right to read this topic may have changed. */
  forget(topic: string): void {
    this.questions.delete(keyOf(topic, 'canSubscribe'));
  }
}

function keyOf(topic: string, right: string): string {
  return `${right} ${topic}`;
}
