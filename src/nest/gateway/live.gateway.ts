import type { IncomingMessage, ServerResponse } from 'node:http';
import { UseFilters } from '@nestjs/common';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { LiveConnection } from '../../core/ports/connection.js';
import { Live } from '../../core/live.js';
import { LiveMessagePipe } from './dto/live-message.pipe.js';
import { LiveMessageDto } from './dto/live-message.dto.js';
import { AuthDto } from './dto/auth.dto.js';
import { PublishDto } from './dto/publish.dto.js';
import { SubscribeDto } from './dto/subscribe.dto.js';
import { UnsubscribeDto } from './dto/unsubscribe.dto.js';
import { LiveExceptionFilter } from './live-exception.filter.js';
import { liveServerMark } from './live-handlers.decorator.js';

/** `ping` has no fields of its own. */
export class PingDto extends LiveMessageDto {}

/**
 * The protocol's verbs as Nest handlers, so that guards, pipes, interceptors and filters apply. To
 * add your own, extend this class and set `LiveModule.forRoot({ gateway })`.
 *
 * @publicApi
 */
@WebSocketGateway({ path: liveServerMark })
@UseFilters(LiveExceptionFilter)
export class LiveGateway {
  constructor(private readonly live: Live) {}

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
    return this.live.verbs.subscribe(connection, message);
  }

  @SubscribeMessage('unsubscribe')
  unsubscribe(
    @ConnectedSocket() connection: LiveConnection,
    @MessageBody(LiveMessagePipe) message: UnsubscribeDto,
  ): unknown {
    return this.live.verbs.unsubscribe(connection, message);
  }

  @SubscribeMessage('publish')
  publish(
    @ConnectedSocket() connection: LiveConnection,
    @MessageBody(LiveMessagePipe) message: PublishDto,
  ): unknown {
    return this.live.verbs.publish(connection, message);
  }

  @SubscribeMessage('auth')
  auth(
    @ConnectedSocket() connection: LiveConnection,
    @MessageBody(LiveMessagePipe) message: AuthDto,
  ): unknown {
    return this.live.verbs.auth(connection, message);
  }

  @SubscribeMessage('ping')
  ping(
    @ConnectedSocket() connection: LiveConnection,
    @MessageBody(LiveMessagePipe) message: PingDto,
  ): unknown {
    return this.live.verbs.ping(connection, message);
  }
}
