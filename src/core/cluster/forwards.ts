import { Buffer } from 'node:buffer';
import type { Cancel, Clock } from '../ports/clock.js';
import { maxSignalBytes } from '../ports/broker.js';
import type { Instances } from './instances.js';
import { type Post, type PostAnswer, type PostResult, type SealedPost, signalText } from './signal.js';

interface ForwardsParts {
  readonly self: { readonly key: string };
  readonly instances: Instances;
  readonly clock: Clock;
  send(body: Post | PostAnswer): void;
}

interface Waiting {
  readonly to: string;
  readonly cancel: Cancel;
  resolve(result: PostResult): void;
}

/** Longer than an engine takes to recover from a short fault. */
const answerMs = 3_000;

/**
 * Carries posted messages to the instance that has their session, because a load balancer may send
 * a `POST` to any. They are numbered, so the client may repeat one without an answer. [L-12.11]
 */
export class Forwards {
  /** Takes what other instances forward; absent if this one has no sessions. */
  take: ((posted: SealedPost) => PostResult) | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private lastId = 0;

  constructor(private readonly parts: ForwardsParts) {}

  /** Never rejects. */
  async forward(to: string, posted: SealedPost): Promise<PostResult> {
    const { instances, clock, self, send } = this.parts;
    // A new instance does not know the others yet.
    if (instances.get(to) === undefined) await instances.settled();
    if (instances.get(to) === undefined) return 'unknown-session';
    const body: Post = { type: 'post', to, id: ++this.lastId, posted };
    if (Buffer.byteLength(signalText(self.key, body)) > maxSignalBytes) return 'too-large';
    return new Promise((resolve) => {
      const cancel = clock.after(answerMs, () => this.end(body.id, 'unanswered'));
      this.waiting.set(body.id, { to, cancel, resolve });
      send(body);
    });
  }

  /** Another instance has forwarded messages. */
  received(from: string, { id, posted }: Post): void {
    const result = this.take?.(posted) ?? 'unknown-session';
    this.parts.send({ type: 'post-answer', to: from, id, result });
  }

  /** Another instance has answered. */
  answered(from: string, { id, result }: PostAnswer): void {
    if (this.waiting.get(id)?.to === from) this.end(id, result);
  }

  stop(): void {
    for (const id of this.waiting.keys()) this.end(id, 'unanswered');
  }

  private end(id: number, result: PostResult): void {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    waiting?.cancel();
    waiting?.resolve(result);
  }
}
