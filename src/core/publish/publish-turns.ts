/**
 * Keeps the publications of each topic in order while some wait for the check of their data. Checks
 * run at the same time; only sending waits for its turn. [L-4.14]
 */
export class PublishTurns {
  /** Resolves once the topic's latest publication was sent or refused. Never rejects. */
  private readonly tails = new Map<string, Promise<unknown>>();

  /** Whether a publication of this topic waits. */
  waits(topic: string): boolean {
    return this.tails.size > 0 && this.tails.has(topic);
  }

  /** Sends the text when it is there, and every earlier publication of the topic was sent. */
  take<T>(topic: string, text: string | Promise<string>, send: (text: string) => Promise<T>): Promise<T> {
    const begun = Promise.allSettled([text, this.tails.get(topic)]).then(([checked]) => {
      if (this.tails.get(topic) === tail) this.tails.delete(topic);
      if (checked.status === 'rejected') throw checked.reason;
      // In an object, because the next turn does not wait for the broker's answer.
      return { sent: send(checked.value) };
    });
    const tail = begun.then(ended, ended);
    this.tails.set(topic, tail);
    return begun.then(({ sent }) => sent);
  }
}

function ended(): void {}
