import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { DrainProgress } from '../../core/connection/drain.js';
import { Live } from '../../core/live.js';
import type { Broker } from '../../core/ports/broker.js';
import { LiveObservers } from '../logging/live-observer.js';
import { CloseWatch } from './close-watch.js';
import { LiveServer } from './live.server.js';
import type { ResolvedLiveOptions } from '../options/live.settings.js';
import { LIVE_BROKER, LIVE_SETTINGS } from '../options/live.tokens.js';
import { TopicExplorer } from '../topics/topic.explorer.js';
import { TopicPolicy } from '../topics/topic.policy.js';
import { logEntry } from '../logging/log-entry.js';

/** Milliseconds that the start waits for a connecting broker before it continues without it. */
const brokerPatienceMs = 2_000;
/** Milliseconds between two log entries about a drain. */
const reportEveryMs = 1_000;

/**
 * State of the live server; clients can connect only while it is `ready`:
 * - `starting`: waits for the broker and the port
 * - `ready`: takes clients
 * - `stopping`: the application has begun to close, and readiness is down
 * - `draining`: refuses clients, and waits for those that are connected
 * - `stopped`: everything is released
 */
export type LiveState = 'starting' | 'ready' | 'stopping' | 'draining' | 'stopped';

/**
 * The life cycle of the live server along Nest's hooks: `beforeClose` ends readiness;
 * `onModuleDestroy` waits for the notice, refuses upgrades, asks peers to leave and waits for
 * them; `onApplicationShutdown` releases everything. [L-10.1] [L-10.6]
 */
@Injectable()
export class LiveLifecycle
  implements
    OnModuleInit,
    OnApplicationBootstrap,
    OnModuleDestroy,
    BeforeApplicationShutdown,
    OnApplicationShutdown
{
  private readonly logger = new Logger('Live');
  private state_: LiveState = 'starting';
  private drain: Promise<DrainProgress> | undefined;

  /** @internal */
  constructor(
    private readonly live: Live,
    private readonly server: LiveServer,
    private readonly explorer: TopicExplorer,
    private readonly policy: TopicPolicy,
    private readonly host: HttpAdapterHost,
    @Inject(LIVE_SETTINGS) private readonly settings: ResolvedLiveOptions,
    @Inject(LIVE_BROKER) private readonly broker: Broker,
    private readonly observers: LiveObservers,
    private readonly closeWatch: CloseWatch,
  ) {}

  /** The current state. */
  get state(): LiveState {
    return this.state_;
  }

  /**
   * Waits for the broker, so that publications from the application's bootstrap on can reach it.
   */
  async onModuleInit(): Promise<void> {
    this.policy.declare(await this.explorer.explore(), await this.explorer.explorePersonal());
    await this.brokerAvailable();
  }

  /** Listens, and becomes ready; called by Nest. */
  async onApplicationBootstrap(): Promise<void> {
    if (!this.host.httpAdapter) {
      this.logger.warn('This application has no HTTP server: it can publish, but clients cannot connect.');
      return;
    }
    await this.server.start();
    this.watchClose();
    if (process.listenerCount('SIGTERM') === 0) {
      this.logger.warn(
        'SIGTERM has no listener, so a stop will drop every client. Call app.enableShutdownHooks() to drain.',
      );
    }
    this.state_ = 'ready';
    // Later outages are logged by the observer; a broker that never connected fires no event.
    if (!this.live.available) this.logger.warn(logEntry({ msg: 'broker away', since: 'the start' }));
  }

  /**
   * Waits for the drain, because terminus fails every check, including liveness, from
   * `beforeApplicationShutdown` on.
   */
  async onModuleDestroy(): Promise<void> {
    await this.beginDrain();
  }

  /** Ends idle sockets after the drain; called by Nest. */
  async beforeApplicationShutdown(): Promise<void> {
    const { connections, left, closed, terminated } = await this.beginDrain();
    this.server.dropIdle();
    this.logger.log(logEntry({ msg: 'drained', connections, left, closed, terminated }));
  }

  /** Releases the port, the core and the broker; called by Nest. */
  async onApplicationShutdown(): Promise<void> {
    await this.server.stop();
    await this.live.close();
    await this.broker.close();
    this.state_ = 'stopped';
    this.logger.log(logEntry({ msg: 'stopped' }));
  }

  /** Resolves once the broker is available, or after `brokerPatienceMs`. */
  private brokerAvailable(): Promise<void> {
    if (this.live.available) return Promise.resolve();
    return new Promise((resolve) => {
      // Keeps the process alive, which may have nothing else to do yet.
      const late = setTimeout(resolve, brokerPatienceMs);
      this.observers.add({
        availability: () => {
          clearTimeout(late);
          resolve();
        },
      });
    });
  }

  private beginDrain(): Promise<DrainProgress> {
    this.drain ??= this.drainAfterNotice();
    return this.drain;
  }

  private async drainAfterNotice(): Promise<DrainProgress> {
    const { drainNoticeMs, drainTimeoutMs, drainWindowMs } = this.settings;
    this.logger.log(logEntry({ msg: 'stopping', connections: this.live.registry.size }));
    if (drainNoticeMs > 0) {
      this.state_ = 'stopping';
      await sleep(drainNoticeMs);
    }
    this.state_ = 'draining';
    this.server.refuse();
    const report = setInterval(() => {
      this.logger.log(logEntry({ msg: 'draining', ...this.live.stats().drain }));
    }, reportEveryMs);
    return this.live.drain(drainTimeoutMs, { windowMs: drainWindowMs }).finally(() => {
      clearInterval(report);
    });
  }

  /**
   * The HTTP adapter's `beforeClose` runs before the hooks of every module, whatever the order of
   * imports.
   */
  private watchClose(): void {
    const adapter = this.host.httpAdapter as { beforeClose?: () => unknown };
    const original = adapter.beforeClose?.bind(adapter);
    const stopping = (): void => {
      if (this.state_ === 'ready') this.state_ = 'stopping';
    };
    this.closeWatch.onClose = stopping;
    adapter.beforeClose = () => {
      stopping();
      return original?.();
    };
  }
}
