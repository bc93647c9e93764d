import { Logger } from '@nestjs/common';

/** Does something again and again. A failure is logged, the first of a row only, and the next turn comes all the same. */
export class Ticker {
  private readonly logger = new Logger('Ticker');
  private timer: NodeJS.Timeout | undefined;
  private failing = false;

  constructor(
    private readonly name: string,
    private readonly everyMs: number,
    private readonly run: () => Promise<unknown>,
  ) {}

  /** The first turn comes at once. The timer does not hold the process open. */
  start(): void {
    this.timer ??= setInterval(() => void this.turn(), this.everyMs).unref();
    void this.turn();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private async turn(): Promise<void> {
    try {
      await this.run();
      this.failing = false;
    } catch (err) {
      // A turn that was under way when the server stopped fails for that reason alone.
      if (!this.failing && this.timer !== undefined) this.logger.warn({ msg: `failed: ${this.name}`, err });
      this.failing = true;
    }
  }
}
