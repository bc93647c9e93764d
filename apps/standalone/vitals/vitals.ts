import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { LiveService, type LiveStats } from 'nestjs-live';
import type { EventLoopDelayReading } from 'nestjs-live/health';
import { EventLoopDelay } from 'nestjs-live/parts';

/** The state of the server, as published on `system/vitals`. */
export interface VitalsReading extends Pick<
  LiveStats,
  'connections' | 'subscriptions' | 'topics' | 'publicationsTotal' | 'deliveriesTotal' | 'queuedBytes'
> {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly uptimeSeconds: number;
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
  /** Of one core, since the previous reading. Above 100 if several threads are busy. */
  readonly cpuPercent: number;
  /** The delay of timers in the last second or two. */
  readonly eventLoopDelayMs: EventLoopDelayReading;
}

const keptReadings = 120;
const everyMs = 1_000;

/**
 * Reads the state of the process and the live server, and keeps the last two minutes of readings.
 */
@Injectable()
export class Vitals implements OnModuleDestroy {
  private readonly readings: VitalsReading[] = [];
  private readonly delay = new EventLoopDelay(everyMs);
  private cpu = process.cpuUsage();
  private cpuAtMs = performance.now();

  constructor(private readonly live: LiveService) {
    this.delay.start();
  }

  /** Oldest first. */
  get recent(): readonly VitalsReading[] {
    return this.readings;
  }

  onModuleDestroy(): void {
    this.delay.stop();
  }

  /**
   * A reading of the current state and of the time since the previous one. Call it once a second.
   */
  read(): VitalsReading {
    const { connections, subscriptions, topics, publicationsTotal, deliveriesTotal, queuedBytes } =
      this.live.stats();
    const { rss, heapUsed } = process.memoryUsage();
    const reading: VitalsReading = {
      time: Date.now(),
      uptimeSeconds: Math.round(process.uptime() * 10) / 10,
      rssBytes: rss,
      heapUsedBytes: heapUsed,
      cpuPercent: this.cpuPercent(),
      eventLoopDelayMs: this.eventLoopDelayMs(),
      connections,
      subscriptions,
      topics,
      publicationsTotal,
      deliveriesTotal,
      queuedBytes,
    };
    this.readings.push(reading);
    if (this.readings.length > keptReadings) this.readings.shift();
    return reading;
  }

  private cpuPercent(): number {
    const [cpu, nowMs] = [process.cpuUsage(), performance.now()];
    const usedMs = (cpu.user - this.cpu.user + cpu.system - this.cpu.system) / 1_000;
    const percent = (100 * usedMs) / Math.max(1, nowMs - this.cpuAtMs);
    this.cpu = cpu;
    this.cpuAtMs = nowMs;
    return rounded(percent);
  }

  private eventLoopDelayMs(): EventLoopDelayReading {
    const { mean, p99, max } = this.delay.read();
    return { mean: rounded(mean), p99: rounded(p99), max: rounded(max) };
  }
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
