import { Logger } from '@nestjs/common';

/** Runs something periodically. Logs only the first of consecutive failures, and continues. */
export class Ticker {
  private readonly logger = new Logger('Ticker');
  private timer: NodeJS.Timeout | undefined;
  private failing = false;

  constructor(
    private readonly name: string,
    private readonly everyMs: number,
    private readonly run: () => Promise<unknown>,
  ) {}

  /** The first run is immediate. The timer does not keep the process alive. */
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
      // A run that the server's stop interrupted fails only for that reason.
      if (!this.failing && this.timer !== undefined) this.logger.warn({ msg: `failed: ${this.name}`, err });
      this.failing = true;
    }
  }
}
