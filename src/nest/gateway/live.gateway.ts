import type { IncomingMessage, ServerResponse } from 'node:http';
import { Inject, UseFilters } from '@nestjs/common';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { LiveConnection } from '../../core/ports/connection.js';
import type { Verbs } from '../../core/verbs/verbs.js';
import { LIVE_VERBS } from '../options/live.tokens.js';
import { LiveMessagePipe } from './dto/live-message.pipe.js';
import { LiveMessageDto } from './dto/live-message.dto.js';
import { AuthDto } from './dto/auth.dto.js';
import { PublishDto } from './dto/publish.dto.js';
import { SubscribeDto } from './dto/subscribe.dto.js';
import { UnsubscribeDto } from './dto/unsubscribe.dto.js';
import { LiveExceptionFilter } from './live-exception.filter.js';
import { liveServerMark } from './live-handlers.decorator.js';

/**
 * The protocol's verbs as Nest handlers, so that guards, pipes, interceptors and filters apply. To
 * add your own, extend this class and set `LiveModule.forRoot({ gateway })`. A subclass may
 * have its own constructor; `super()` takes no arguments. A handler throws a `LiveError` to refuse
 * its request.
 */
@WebSocketGateway({ path: liveServerMark })
@UseFilters(LiveExceptionFilter)
export class LiveGateway {
  /** A property, so that a subclass may have any constructor. */
  @Inject(LIVE_VERBS)
  private readonly verbs!: Verbs;

  /** Does nothing: the guards before this method decide about an upgrade. */
  handleUpgrade(_request: IncomingMessage, _response: ServerResponse): void {}

  /**
   * Sends its own answer, because nothing may come between the answer and the first event. [L-3.10]
   */
  @SubscribeMessage('subscribe')
  subscribe(
    @ConnectedSocket() connection: LiveConnection,
    @MessageBody(LiveMessagePipe) message: SubscribeDto,
  ): unknown {
    return this.verbs.subscribe(connection, message);
  }

  /** Ends a subscription. [L-3.6] */
  @SubscribeMessage('unsubscribe')
  unsubscribe(
    @ConnectedSocket() connection: LiveConnection,
    @MessageBody(LiveMessagePipe) message: UnsubscribeDto,
  ): unknown {
    return this.verbs.unsubscribe(connection, message);
  }

  /** Publishes for a user whom `canPublish` of the topic allows. [L-4.3] */
  @SubscribeMessage('publish')
  publish(
    @ConnectedSocket() connection: LiveConnection,
    @MessageBody(LiveMessagePipe) message: PublishDto,
  ): unknown {
    return this.verbs.publish(connection, message);
  }

  /** Renews the credential of an open connection. [L-7.1] */
  @SubscribeMessage('auth')
  auth(
    @ConnectedSocket() connection: LiveConnection,
    @MessageBody(LiveMessagePipe) message: AuthDto,
  ): unknown {
    return this.verbs.auth(connection, message);
  }

  /** Answers `pong`. [L-2.9] */
  @SubscribeMessage('ping')
  ping(
    @ConnectedSocket() connection: LiveConnection,
    @MessageBody(LiveMessagePipe) message: LiveMessageDto,
  ): unknown {
    return this.verbs.ping(connection, message);
  }
}
