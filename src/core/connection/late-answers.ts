/** Questions that are kept: as many as one connection may have open. [L-9.15] */
const maxKept = 16;

interface Question {
  readonly answer: Promise<unknown>;
  readonly askedMs: number;
  /** Whether the one that asked has given up. */
  isLate: boolean;
}

/**
 * What the application was asked about the rights of one connection. A client that asks again after a time-out gets the answer
 * to the first question. [L-3.4] A change of rights makes every question from before it worthless.
 */
export class LateAnswers {
  private readonly questions = new Map<string, Question>();

  /** Notes a question when it is asked: an answer that is late is about the rights of that moment. */
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
      // A failure is no answer: the next one that asks has the application asked again.
      () => this.drop(topic, right, answer),
    );
  }

  /** Whoever asked waits no longer: the answer is for the next one. */
  giveUp(topic: string, right: string, answer: Promise<unknown>): void {
    const question = this.questions.get(keyOf(topic, right));
    if (question?.answer === answer) question.isLate = true;
  }

  /** The late answer to a question asked after `sinceMs`. */
  find(topic: string, right: string, sinceMs: number): Promise<unknown> | undefined {
    const question = this.questions.get(keyOf(topic, right));
    return question?.isLate === true && question.askedMs > sinceMs ? question.answer : undefined;
  }

  /** The answer is used up. */
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
