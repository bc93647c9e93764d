import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  Module,
  UnauthorizedException,
} from '@nestjs/common';
import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { MemoryBroker } from '../../src/brokers/memory/memory-broker.js';
import {
  type ConnectionIdentity,
  ConnectionRegistry,
  credentialOf,
  type CredentialVerifier,
  type LiveModuleOptions,
  LiveTopic,
  setConnectionIdentity,
} from '../../src/index.js';
import { LiveHandlers } from '../../src/nest/gateway/live-handlers.decorator.js';
import { type LiveConnection, LiveError } from '../../src/index.js';
import { LossyBroker } from '../support/lossy-broker.js';
import { type LiveApp, startLiveApp } from '../support/live-app.js';
import type { ServerControls } from './scenarios.js';

/** Users are named by their credential, except `refused`. `<name>~<ms>` expires after `ms`. */
@Injectable()
class TokenIsUser implements CanActivate, CredentialVerifier {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<IncomingMessage>();
    setConnectionIdentity(request, this.identityOf(credentialOf(request)?.token));
    return true;
  }

  async verify(token: string): Promise<ConnectionIdentity> {
    return this.identityOf(token);
  }

  private identityOf(token = 'refused'): ConnectionIdentity {
    const [id = '', ms] = token.split('~');
    if (id === 'refused') throw new UnauthorizedException();
    return { user: { id }, ...(ms !== undefined && { expiresAt: Date.now() + Number(ms) }) };
  }
}

@LiveTopic('history/*', { history: { size: 100 } })
class WithHistory {
  canSubscribe(): boolean {
    return true;
  }

  canPublish(): boolean {
    return true;
  }

  snapshot(): string {
    return 'state';
  }
}

@LiveTopic('short/*', { history: { size: 2 } })
class WithShortHistory extends WithHistory {}

@LiveTopic('bare/*')
class Bare {
  canSubscribe(): boolean {
    return true;
  }
}

/** Keeps the TCP sockets, so that a test can cut them. */
@LiveHandlers()
class Sockets {
  readonly ofUser = new Map<string, Socket[]>();

  handleConnection(connection: LiveConnection, request: IncomingMessage): void {
    const user = connection.user?.id ?? '';
    this.ofUser.set(user, [...(this.ofUser.get(user) ?? []), request.socket]);
  }

  @SubscribeMessage('trip.book')
  book(@MessageBody() { data }: { readonly data?: { readonly seat: number } }): unknown {
    if (data === undefined) throw new LiveError('validation-failed', 'Which seat?');
    return data.seat === 0 ? { type: 'trip.full', seats: 0 } : { seat: data.seat };
  }

  @SubscribeMessage('trip.ignored')
  ignored(): void {}
}

@Module({ providers: [Sockets], exports: [Sockets] })
class SocketsModule {}

/** A server for the client's scenarios, and the controls that they may use. */
export async function startClientApp(
  options: LiveModuleOptions = {},
): Promise<LiveApp & { readonly controls: ServerControls }> {
  const broker = new LossyBroker(new MemoryBroker());
  const server = await startLiveApp({
    options: { broker, ...options },
    guards: [TokenIsUser],
    imports: [SocketsModule],
    providers: [WithHistory, WithShortHistory, Bare],
  });
  const registry = server.app.get(ConnectionRegistry);
  const sockets = server.app.get(Sockets);
  const controls: ServerControls = {
    publish: (topic, data, key) => server.live.publish(topic, data, key === undefined ? {} : { key }),
    cut: async (user) => {
      for (const socket of sockets.ofUser.get(user) ?? []) socket.resetAndDestroy();
      sockets.ofUser.delete(user);
    },
    end: async (user) => {
      for (const socket of sockets.ofUser.get(user) ?? []) socket.destroy();
      sockets.ofUser.delete(user);
    },
    close: async (user, code) => void registry.disconnect(user, code, 'as the scenario wants'),
    miss: async (topic, count) => {
      const carries = broker.carries;
      let left = count;
      broker.carries = (name, publication) =>
        name === topic && left > 0 ? ((left -= 1), false) : carries(name, publication);
    },
    loseStream: (topic) => broker.lose(topic),
    broker: async (there) => (there ? broker.comeBack() : broker.goAway()),
    count: async (user) => {
      // Yields to the network, so that a caller that polls does not block it.
      await setImmediate();
      const connections = registry.ofUser(user);
      const subscriptions = connections.reduce((sum, { topics }) => sum + topics.length, 0);
      return { connections: connections.length, subscriptions };
    },
  };
  return { ...server, controls };
}
