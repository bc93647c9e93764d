import { EventEmitter } from 'node:events';
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { onTestFinished } from 'vitest';

/** The answer to a plain request. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface HttpAsk {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** @default a TCP connection of its own */
  readonly agent?: Agent;
}

/** An event as the server wrote it. */
export interface StreamEvent {
  readonly event: string;
  readonly data: string;
  readonly id?: string;
}

/** The URL of a path beside that of the WebSocket. */
export const besideOf = (url: string, path = ''): string =>
  url.replace(/^ws/, 'http').replace(/(?=\?)|$/, path);

/** Sends one plain request and reads its answer. */
export function ask(url: string, asked: HttpAsk): Promise<HttpAnswer> {
  const { method = 'GET', path = '', headers, body, agent = false } = asked;
  return new Promise((resolve, reject) => {
    const sent = request(besideOf(url, path), { method, headers, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode: status = 0, headers: answered } = response;
        resolve({ status, headers: answered, body: Buffer.concat(chunks).toString() });
      });
    });
    sent.on('error', reject);
    // Node sends the headers as UTF-8 together with a string.
    sent.end(body && Buffer.from(body as string));
  });
}

/** What the tests use of an event stream's events. */
interface PeerEvents {
  open: [IncomingMessage];
  'unexpected-response': [unknown, IncomingMessage];
  event: [StreamEvent];
  message: [Buffer];
  ping: [];
  close: [number, Buffer];
  error: [Error];
}

/**
 * A peer of the event door, with the interface of a `ws` WebSocket as far as tests use it, so that
 * the tests of the other door run on this one.
 */
export class EventPeer extends EventEmitter<PeerEvents> {
  readonly events: StreamEvent[] = [];
  /** Names the session in the headers of a `POST`. */
  session = '';
  sequence = 0;
  answersPings = true;
  readyState = 0;
  readonly OPEN = 1;
  private text = '';
  private closedWith: { readonly code: number; readonly reason: string } | undefined;
  private readonly stream: ReturnType<typeof request>;
  private waiting: string[] = [];
  private maxLength = 16_384;
  private posting = false;
  private closing = false;
  private headers: Readonly<Record<string, string>>;
  /** Replaces the credential once the server has confirmed it, or no longer takes the old one. */
  private renewed: { readonly authorization?: string } = {};
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(
    private readonly url: string,
    options: {
      readonly headers?: Readonly<Record<string, string>>;
      readonly query?: string;
    } = {},
  ) {
    super();
    this.headers = options.headers ?? {};
    const path = besideOf(url, `/events${options.query ?? ''}`);
    this.stream = request(path, { headers: options.headers, agent: false }, (response) => {
      if (response.statusCode === 200) this.read(response);
      else this.emit('unexpected-response', undefined, response);
    });
    this.stream.on('error', (error) => this.listenerCount('error') > 0 && this.emit('error', error));
    this.stream.end();
  }

  /** A peer whose stream is open. */
  static async open(url: string, token = 'ann', query = ''): Promise<EventPeer> {
    const peer = new EventPeer(url, { headers: { authorization: `Bearer ${token}` }, query });
    onTestFinished(() => peer.terminate());
    await new Promise((resolve, reject) => {
      peer.once('open', resolve).once('error', reject);
      peer.once('unexpected-response', (_, { statusCode }) => reject(new Error(String(statusCode))));
    });
    return peer;
  }

  /** Takes what the constructor of `ws` does. The shipped client sends the token likewise. */
  static likeWebSocket(
    url: string,
    protocols: readonly string[],
    headers: Readonly<Record<string, string>>,
  ): EventPeer {
    const token = protocols.find((each) => each.startsWith('bearer.'))?.slice('bearer.'.length);
    const bearer = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return new EventPeer(url, { headers: { accept: 'text/event-stream', ...bearer, ...headers } });
  }

  /** Messages received so far, parsed. */
  get messages(): Readonly<Record<string, unknown>>[] {
    const own = this.events.filter(({ event }) => event === 'message');
    return own.map(({ data }) => JSON.parse(data) as Record<string, unknown>);
  }

  /** Waits until enough events have come. */
  async until(done: () => boolean): Promise<void> {
    while (!done()) await new Promise((resolve) => this.once('event', resolve).once('close', resolve));
  }

  /** Sends as a WebSocket does: in order, with as few requests as possible. */
  send(text: string): void {
    const token = /^\{"type":"auth".*"token":"([^"]+)"/.exec(text)?.[1];
    if (token !== undefined) this.renewed = { authorization: `Bearer ${token}` };
    this.waiting.push(text);
    if (!this.posting) void this.post();
  }

  /** Sends a `POST` of this session and returns its answer. */
  ask(body: string | Buffer, headers: Readonly<Record<string, string>> = {}): Promise<HttpAnswer> {
    return ask(this.url, {
      method: 'POST',
      path: '/messages',
      body,
      agent: this.agent,
      headers: {
        ...this.headers,
        'content-type': 'application/x-ndjson',
        'live-session': this.session,
        'live-sequence': String(this.sequence),
        ...headers,
      },
    });
  }

  /** Ends the stream after what waits to be sent. */
  close(): void {
    this.closing = true;
    if (!this.posting) this.terminate();
  }

  terminate(): void {
    this.stream.destroy();
    this.agent.destroy();
  }

  pause(): void {
    this.stream.socket?.pause();
  }

  resume(): void {
    this.stream.socket?.resume();
  }

  private async post(): Promise<void> {
    this.posting = true;
    // Messages of one task are sent together, as by the shipped client.
    await Promise.resolve();
    while (this.waiting.length > 0 && this.readyState < 2) {
      const lines = this.waiting.splice(0, 1);
      let { length } = lines[0] ?? '';
      while (this.waiting[0] !== undefined && (length += this.waiting[0].length + 1) < this.maxLength)
        lines.push(this.waiting.shift() ?? '');
      this.sequence += 1;
      let status = 429;
      while (status === 429 && this.readyState < 2) {
        ({ status } = await this.ask(lines.join('\n')).catch(() => ({ status: 0 })));
        if (status === 401 && this.renewed.authorization !== undefined) {
          this.renew();
          status = 429;
        } else if (status === 429) await new Promise((resolve) => setTimeout(resolve, 50));
      }
      if (status === 413 && lines.length > 1) {
        this.maxLength = 0;
        this.sequence -= 1;
        this.waiting.unshift(...lines);
      } else if (status !== 204) this.failed(status);
    }
    this.posting = false;
    if (this.closing) this.terminate();
  }

  private renew(): void {
    this.headers = { ...this.headers, ...this.renewed };
    this.renewed = {};
  }

  /** Ends the stream as the shipped client does. */
  private failed(status: number): void {
    this.closedWith ??= { code: status === 413 ? 1009 : 1006, reason: `POST: ${String(status)}` };
    this.terminate();
  }

  private read(response: IncomingMessage): void {
    this.readyState = 1;
    const end = (): void => {
      if (this.readyState === 3) return;
      this.readyState = 3;
      this.agent.destroy();
      const { code, reason } = this.closedWith ?? { code: 1006, reason: '' };
      this.emit('close', code, Buffer.from(reason));
    };
    response.on('data', (chunk: Buffer) => this.take(chunk.toString('latin1')));
    response.on('end', end).on('close', end).on('error', end);
  }

  private take(chunk: string): void {
    this.text += chunk;
    for (let at = this.text.indexOf('\n\n'); at >= 0; at = this.text.indexOf('\n\n')) {
      const block = Buffer.from(this.text.slice(0, at), 'latin1').toString();
      this.text = this.text.slice(at + 2);
      const fields = block.split('\n').map((line) => /^([a-z]*): ?(.*)$/s.exec(line) ?? ['', '', '']);
      const valueOf = (name: string): string[] =>
        fields.filter(([, each]) => each === name).map(([, , value = '']) => value);
      const [id] = valueOf('id');
      const event = {
        event: valueOf('event')[0] ?? 'message',
        data: valueOf('data').join('\n'),
        ...(id !== undefined && { id }),
      };
      this.events.push(event);
      this.took(event);
    }
  }

  private took(event: StreamEvent): void {
    if (event.event === 'session') {
      this.session = event.data;
      this.emit('open', undefined as unknown as IncomingMessage);
    } else if (event.event === 'ping') {
      this.emit('ping');
      if (this.answersPings) this.send('');
    } else if (event.event === 'close') {
      this.closedWith = JSON.parse(event.data.slice(event.data.lastIndexOf('\n') + 1)) as {
        code: number;
        reason: string;
      };
    } else if (event.event === 'message') {
      if (event.data.startsWith('{"type":"authenticated"')) this.renew();
      this.emit('message', Buffer.from(event.data));
    }
    this.emit('event', event);
  }
}
