import type { Position } from '../../../src/protocol/position.js';
import { WebSocket } from 'ws';
import {
  connect,
  type LiveClient,
  type LiveStatus,
  type PublicationMessage,
  type WebSocketConstructor,
} from '../../../src/client/index.js';
import { deliveryFaults, LiveTestClient, type Received } from '../../../src/testing/index.js';
import { Heard } from './heard.js';

interface Content {
  readonly n: number;
  readonly at: number;
}

/** Nothing listens here. */
const nowhere = 'ws://127.0.0.1:1/live';

/** A reader of some topics. */
export interface Subscriber {
  readonly heard: ReadonlyMap<string, Heard>;
  close(): void;
}

/** An application with the library's own client. It records what its listeners receive. */
export class AppSubscriber implements Subscriber {
  readonly heard: ReadonlyMap<string, Heard>;
  /** Connections that ended. */
  cuts = 0;
  private socket: WebSocket | undefined;
  private away = false;
  private readonly client: LiveClient;
  private readonly started: Promise<unknown>;

  /** @param urlOf returns the URL for each connection */
  constructor(
    urlOf: () => string,
    topics: readonly string[],
    private readonly reasons: string[] = [],
  ) {
    this.heard = new Map(topics.map((topic) => [topic, new Heard()]));
    const opens = (socket: WebSocket): void => void (this.socket = socket);
    const chosen = (): string => (this.away ? nowhere : urlOf());
    class Chosen extends WebSocket {
      constructor(_url: string, protocols: string[]) {
        super(chosen(), protocols);
        opens(this);
      }
    }
    const webSocket = Chosen as unknown as WebSocketConstructor;
    this.client = connect('ws://chosen.invalid', { webSocket, backoff: { minMs: 50, maxMs: 400 } });
    this.client.on('status', (status) => this.status(status));
    this.started = Promise.all([...this.heard].map(([topic, heard]) => this.subscribe(topic, heard)));
  }

  /** Resolves once every subscription has started. */
  async ready(): Promise<this> {
    await this.started;
    return this;
  }

  /** Loses its network until `comeBack`. */
  leave(): void {
    this.away = true;
    this.socket?.terminate();
  }

  comeBack(): void {
    this.away = false;
  }

  close(): void {
    this.client.close();
  }

  private status(status: LiveStatus): void {
    if (status.state !== 'waiting') return;
    this.cuts += 1;
    this.reasons.push(`${String(status.code)} ${status.reason}`);
  }

  private subscribe(topic: string, heard: Heard): Promise<void> {
    return new Promise((started) => {
      this.client.subscribe(topic, (message) => {
        if (message.type === 'start') {
          heard.starts(message.position);
          started();
        } else if (message.type === 'event') {
          const { position, from, data } = message as PublicationMessage & { readonly data: Content };
          goesOn(heard, { epoch: position.epoch, offset: from - 1 });
          heard.publication(position.offset, data);
        } else if (message.type === 'end') heard.faults.push(`${topic} ended`);
        else if (message.count === undefined) heard.starts(message.position);
        else {
          goesOn(heard, { epoch: message.position.epoch, offset: (message.from ?? 0) - 1 });
          heard.loses(message.from ?? 0, message.to ?? 0, message.count);
        }
      });
    });
  }
}

/** A bare client that records what is on the wire. */
export class WireSubscriber implements Subscriber {
  readonly heard: ReadonlyMap<string, Heard>;

  private constructor(
    readonly client: LiveTestClient,
    topics: readonly string[],
  ) {
    this.heard = new Map(topics.map((topic) => [topic, new Heard()]));
    client.socket.on('message', (text: Buffer) => this.take(JSON.parse(text.toString()) as Received));
  }

  static async connect(url: string, topics: readonly string[]): Promise<WireSubscriber> {
    const subscriber = new WireSubscriber(await LiveTestClient.connect(url), topics);
    for (const [id, topic] of topics.entries())
      await subscriber.client.request({ type: 'subscribe', id, topic });
    return subscriber;
  }

  /** Faults that the library's own checker finds in everything received. */
  get faults(): readonly unknown[] {
    return deliveryFaults(this.client.transcript);
  }

  close(): void {
    this.client.socket.terminate();
  }

  private take(message: Received): void {
    const { type, topic, epoch, offset, from, to, count, data } = message;
    const heard = this.heard.get(String(topic));
    if (type === 'subscribed' && message['recovered'] === true)
      heard?.continues({ epoch: String(epoch), offset: Number(offset) });
    else if (type === 'subscribed') heard?.starts({ epoch: String(epoch), offset: Number(offset) });
    else if (type === 'event') heard?.publication(Number(offset), data as Content);
    else if (type === 'lost') heard?.loses(Number(from), Number(to), Number(count));
  }
}

/** The client does not report a continued epoch. The next position contains it. [L-5.14] */
function goesOn(heard: Heard, at: Position): void {
  if (heard.position !== undefined && heard.position.epoch !== at.epoch) heard.continues(at);
}
