/** How a `POST` ended: `0` if there was no answer. */
type Post = (body: string, sequence: number) => Promise<number>;

interface PostsParts {
  readonly post: Post;
  /** The session is over, for instance because no instance knows it. */
  failed(code: number, reason: string): void;
  sleep(delayMs: number): Promise<void>;
}

/** Messages sent together take at most this much. By default a server accepts 64 KiB. */
const maxBytes = 16_384;
/** A proxy that restarts is away for seconds. */
const maxAttempts = 8;
const minDelayMs = 250;
const maxDelayMs = 4_000;

/**
 * Sends the messages of one event stream in order, with one `POST` at a time. One without an answer
 * is repeated with its number, so that the server takes it once. [L-12.8]
 */
export class Posts {
  #waiting: string[] = [];
  #maxBytes = maxBytes;
  #pongs = 0;
  #sequence = 0;
  #posting = false;
  #over = false;

  constructor(private readonly parts: PostsParts) {}

  /** Queues a message. */
  send(text: string): void {
    this.#waiting.push(text);
    void this.#run();
  }

  /** Answers a ping. */
  pong(): void {
    this.#pongs = 1;
    void this.#run();
  }

  stop(): void {
    this.#over = true;
  }

  async #run(): Promise<void> {
    if (this.#posting) return;
    this.#posting = true;
    // Messages of one task are sent together.
    await Promise.resolve();
    while (!this.#over && this.#pongs + this.#waiting.length > 0) await this.#post(this.#next());
    this.#posting = false;
  }

  #next(): string[] {
    if (this.#pongs > 0) {
      this.#pongs = 0;
      return [''];
    }
    const messages = this.#waiting.splice(0, 1);
    let { length } = messages[0] ?? '';
    // A UTF-16 unit takes up to three bytes.
    while (this.#waiting[0] !== undefined && (length += this.#waiting[0].length) * 3 < this.#maxBytes)
      messages.push(...this.#waiting.splice(0, 1));
    return messages;
  }

  async #post(messages: string[]): Promise<void> {
    this.#sequence += 1;
    for (let attempt = 0; !this.#over; attempt++) {
      const status = await this.parts.post(messages.join('\n'), this.#sequence);
      if (status >= 200 && status < 300) return;
      if (status === 413 && messages.length > 1) {
        // This server accepts less. One message is never too large for it by itself.
        this.#maxBytes = 0;
        this.#sequence -= 1;
        this.#waiting.unshift(...messages);
        return;
      }
      const mayPass = status === 0 || status === 408 || status === 429 || status >= 500;
      if (!mayPass || attempt === maxAttempts) {
        this.#over = true;
        this.parts.failed(status === 413 ? 1009 : 1006, `a POST was answered ${String(status)}`);
        return;
      }
      await this.parts.sleep(Math.min(maxDelayMs, minDelayMs * 2 ** attempt));
    }
  }
}
