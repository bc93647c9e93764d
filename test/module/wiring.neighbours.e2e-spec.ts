import type { Server } from 'node:http';
import type { INestApplication } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { LiveModule, LiveWsAdapter } from '../../src/index.js';
import { LiveTestClient } from '../../src/testing/index.js';
import { BearerIsUser, OpenTopics, platforms, startLiveApp } from '../support/live-app.js';
import { Frames } from './support/frames.js';
import { createHost, failureOf } from './support/host-app.js';
import { freePort } from './support/ports.js';
import { RawPeer } from './support/raw-peer.js';

/** A gateway of the host, written as if there were no live module. */
@WebSocketGateway({ path: '/stock' })
class StockGateway {
  @SubscribeMessage('greet')
  greet(@MessageBody() name: string): { event: string; data: string } {
    return { event: 'greeting', data: `hello ${name}` };
  }
}

const greet = async (url: string): Promise<string> => {
  const frames = await Frames.connect(url);
  frames.socket.send('{"event":"greet","data":"ann"}');
  return frames.next('greeting');
};

const greeting = '{"event":"greeting","data":"hello ann"}';

/** Delivers one publication to a client. */
async function liveWorks(live: Awaited<ReturnType<typeof startLiveApp>>['live']): Promise<unknown> {
  const client = await LiveTestClient.connect(live.url(), { token: 'ann' });
  await client.request({ type: 'subscribe', id: 1, topic: 'open/1' });
  await live.publish('open/1', 'moved');
  const [event] = await client.settle();
  await client.close();
  return event?.['data'];
}

/** Speaks engine.io and socket.io by hand. */
async function socketIo(httpUrl: string): Promise<Frames> {
  const io = await Frames.connect(`${httpUrl.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  await io.next('0{');
  io.socket.send('40');
  await io.next('40{');
  return io;
}

describe.each(platforms)('LiveModule beside others, on %s', (_name, platform) => {
  describe.each([0, 'app'] as const)('on port %j', (port) => {
    it('[S18] a host gateway on the application port keeps working without an adapter', async () => {
      const { live, httpUrl } = await startLiveApp({
        platform,
        options: { port },
        providers: [OpenTopics, StockGateway],
        listen: true,
      });
      expect(await greet(`${httpUrl.replace('http', 'ws')}/stock`)).toBe(greeting);
      expect(await liveWorks(live)).toBe('moved');
    });

    it('[S18] a host gateway on its own port keeps working', async () => {
      const own = await freePort();
      @WebSocketGateway(own, { path: '/stock' })
      class OwnPortGateway extends StockGateway {}
      const { live } = await startLiveApp({
        platform,
        options: { port },
        providers: [OpenTopics, OwnPortGateway],
        listen: true,
      });
      expect(await greet(`ws://127.0.0.1:${String(own)}/stock`)).toBe(greeting);
      expect(await liveWorks(live)).toBe('moved');
    });

    it('[S18] a socket.io gateway of the host needs only LiveWsAdapter with its adapter in "others"', async () => {
      @WebSocketGateway()
      class IoGateway {
        @SubscribeMessage('greet')
        greet(@MessageBody() name: string): { event: string; data: string } {
          return { event: 'greeting', data: `hello ${name}` };
        }
      }
      const { app, live, httpUrl } = await startLiveApp({
        platform,
        options: { port },
        providers: [OpenTopics, IoGateway],
        listen: true,
        before: (app: INestApplication) =>
          app.useWebSocketAdapter(new LiveWsAdapter(app, { others: new IoAdapter(app) })),
      });
      const io = await socketIo(httpUrl);
      io.socket.send('42["greet","ann"]');
      expect(await io.next('greeting')).toBe('42["greeting","hello ann"]');
      expect(await liveWorks(live)).toBe('moved');
      // engine.io destroys connections on unknown paths after 1 s. The live connection must
      // survive.
      const client = await LiveTestClient.connect(live.url(), { token: 'ann' });
      await client.next();
      await app.close();
      expect(await client.closed).toEqual({ code: 1001, reason: 'server shutting down' });
    });
  });

  it.each([
    ['WsAdapter', WsAdapter],
    ['IoAdapter', IoAdapter],
  ] as const)(
    '[S4] app.init() rejects if %s would bypass the guards, and names the line to write',
    async (name, Adapter) => {
      const app = await createHost(platform, {
        imports: [LiveModule.forRoot({ port: 0, guards: [BearerIsUser] })],
      });
      app.useWebSocketAdapter(new Adapter(app));
      expect(await failureOf(app.init())).toBe(
        `LiveModule: app.useWebSocketAdapter() has set ${name}, so the live gateway would run without its guards. ` +
          `Write app.useWebSocketAdapter(new LiveWsAdapter(app, { others: new ${name}(app) })) instead.`,
      );
    },
  );

  it.each([
    ['no options', WebSocketGateway()],
    ['a namespace', WebSocketGateway({ namespace: '/chat', path: '/chat' })],
    ['a port alone', WebSocketGateway(0)],
  ])(
    '[S18] app.init() rejects if a gateway with %s would silently switch from socket.io to ws',
    async (options, decorate) => {
      class ChatGateway {}
      decorate(ChatGateway);
      const app = await createHost(platform, {
        imports: [LiveModule.forRoot({ port: 0, guards: [BearerIsUser] })],
        providers: [ChatGateway],
      });
      expect(await failureOf(app.init())).toMatch(
        /looks like one for socket\.io.*new LiveWsAdapter\(app, \{ others: new IoAdapter\(app\) \}\)/,
      );
      // The stock WsAdapter supports no namespaces.
      if (options === 'a namespace') return;
      const plain = await createHost(platform, {
        imports: [LiveModule.forRoot({ port: 0, guards: [BearerIsUser] })],
        providers: [ChatGateway],
      });
      plain.useWebSocketAdapter(new LiveWsAdapter(plain));
      await plain.init();
    },
  );

  it('[S4] app.listen() rejects, and does not listen, with an adapter that would bypass the guards', async () => {
    const app = await createHost(platform, {
      imports: [LiveModule.forRoot({ port: 'app', guards: [BearerIsUser] })],
    });
    app.useWebSocketAdapter(new WsAdapter(app));
    await expect(app.listen(0, '127.0.0.1')).rejects.toThrow('LiveWsAdapter(app');
    expect((app.getHttpServer() as Server).listening).toBe(false);
  });

  it('[S18] other ws servers and upgrade listeners on the application server keep working', async () => {
    const servers: WebSocketServer[] = [];
    const foreign = (app: INestApplication, path: string): void => {
      const server = new WebSocketServer({ noServer: true });
      servers.push(server);
      (app.getHttpServer() as Server).on('upgrade', (request, socket, head) => {
        if (request.url !== path) return;
        server.handleUpgrade(request, socket, head, (ws: WebSocket) => {
          ws.on('message', (data: Buffer) => ws.send(`${path} heard ${data.toString()}`));
        });
      });
    };
    onTestFinished(() => {
      for (const server of servers) for (const ws of server.clients) ws.terminate();
    });
    const { app, live, httpUrl } = await startLiveApp({
      platform,
      options: { port: 'app' },
      before: (app) => foreign(app, '/before'),
    });
    foreign(app, '/after');
    for (const path of ['/before', '/after']) {
      const frames = await Frames.connect(httpUrl.replace('http', 'ws') + path);
      frames.socket.send('this');
      expect(await frames.next('heard')).toBe(`${path} heard this`);
      frames.socket.terminate();
    }
    expect(await liveWorks(live)).toBe('moved');
  });

  it('[S18] a ws server that accepts every upgrade gets only those of other paths', async () => {
    const paths: (string | undefined)[] = [];
    const { app, live, httpUrl } = await startLiveApp({ platform, options: { port: 'app' } });
    const server = new WebSocketServer({ server: app.getHttpServer() as Server });
    server.on('connection', (ws, request) => {
      paths.push(request.url);
      ws.close();
    });
    expect(await liveWorks(live)).toBe('moved');
    const frames = await Frames.connect(`${httpUrl.replace('http', 'ws')}/any`);
    frames.socket.terminate();
    expect(paths).toEqual(['/any']);
  });

  it('[L-1.8] an upgrade to an unknown path on the application port gets an HTTP 404', async () => {
    const { httpUrl } = await startLiveApp({ platform, options: { port: 'app' } });
    const peer = await RawPeer.connect(httpUrl);
    peer.upgrade('/elsewhere');
    await peer.closed;
    expect(peer.received).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
    expect(peer.received).toContain('\r\nConnection: close\r\n');
    expect(peer.received.slice(peer.received.indexOf('{'))).toBe(
      '{"statusCode":404,"error":"Not Found","message":"No WebSocket endpoint at this path"}',
    );
  });

  it('[S2] the module removes its listeners from the application server when it stops', async () => {
    const { app } = await startLiveApp({ platform, options: { port: 'app' } });
    const server = app.getHttpServer() as Server;
    expect(server.listenerCount('upgrade')).toBe(1);
    const requests = server.listenerCount('request');
    await app.close();
    expect([server.listenerCount('upgrade'), server.listenerCount('request')]).toEqual([0, requests - 1]);
  });

  it("[S18] LiveWsAdapter forwards Nest's adapter settings to the other adapter", async () => {
    const app = await createHost(platform, {
      imports: [LiveModule.forRoot({ port: 0, guards: [BearerIsUser] })],
    });
    const others = new IoAdapter(app);
    const adapter = new LiveWsAdapter(app, { others });
    app.useWebSocketAdapter(adapter);
    await app.init();
    expect([adapter.forceCloseConnections, others.forceCloseConnections]).toEqual([undefined, undefined]);
    adapter.forceCloseConnections = true;
    expect([adapter.forceCloseConnections, others.forceCloseConnections]).toEqual([true, true]);
  });
});
