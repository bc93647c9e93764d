import { bearerPrefix } from '../protocol/subprotocol.js';
import { EventReader, type StreamEvent } from './event-reader.js';
import type { FetchLike } from './fetch-like.js';
import { Posts } from './posts.js';

/** Receives what a WebSocket would say. */
export interface EventSocketEvents {
  opened(): void;
  message(text: string): void;
  /** @param status - of the answer to the `GET`, if it was another than 200 */
  closed(code: number, reason: string, status?: number): void;
}

/** One event stream with its messages, in place of a WebSocket. [L-12.2] */
export class EventSocket {
  #session = '';
  #over = false;
  #token: string | undefined;
  /** Of an `auth` that the server has not confirmed. Until then the earlier one counts. [L-7.2] */
  #nextToken: string | undefined;
  readonly #base: string;
  readonly #abort = new AbortController();
  readonly #posts: Posts;

  constructor(
    url: string,
    protocols: readonly string[],
    private readonly fetch: FetchLike,
    private readonly events: EventSocketEvents,
  ) {
    this.#base = url.replace(/^ws/i, 'http').replace(/[?#].*$|\/$/, '');
    this.#token = protocols.find((each) => each.startsWith(bearerPrefix))?.slice(bearerPrefix.length);
    this.#posts = new Posts({
      post: (body, sequence) => this.#post(body, sequence),
      failed: (code, reason) => this.#end(code, reason),
      sleep: (delayMs) => new Promise((done) => setTimeout(done, delayMs)),
    });
    void this.#read();
  }

  send(text: string): void {
    if (this.#over) return;
    if (text.startsWith('{"type":"auth"')) this.#nextToken = (JSON.parse(text) as { token: string }).token;
    this.#posts.send(text);
  }

  close(): void {
    this.#over = true;
    this.#posts.stop();
    this.#abort.abort();
  }

  async #read(): Promise<void> {
    try {
      const response = await this.#fetch('GET', '/events', { accept: 'text/event-stream' });
      const reader = response.body?.getReader();
      if (response.status !== 200 || reader === undefined)
        return this.#end(1006, `the stream was answered ${String(response.status)}`, response.status);
      this.events.opened();
      const events = new EventReader((event) => this.#take(event));
      const decoder = new TextDecoder();
      for (let part = await reader.read(); !part.done && !this.#over; part = await reader.read())
        events.read(decoder.decode(part.value, { stream: true }));
      this.#end(1006, 'the stream ended');
    } catch (error) {
      this.#end(1006, String(error));
    }
  }

  #take({ name, data }: StreamEvent): void {
    if (this.#over) return;
    if (name === 'message') {
      if (data.startsWith('{"type":"authenticated"')) this.#renew();
      this.events.message(data);
    } else if (name === 'ping') this.#posts.pong();
    else if (name === 'session') this.#session = data;
    else if (name === 'close') {
      const { code, reason } = JSON.parse(data.slice(data.lastIndexOf('\n') + 1)) as {
        code: number;
        reason: string;
      };
      this.#end(code, reason);
    }
  }

  async #post(body: string, sequence: number): Promise<number> {
    try {
      const headers = {
        'content-type': 'application/x-ndjson',
        'live-session': this.#session,
        'live-sequence': String(sequence),
      };
      const post = async (): Promise<number> =>
        (await this.#fetch('POST', '/messages', headers, body)).status;
      const status = await post();
      // The earlier credential has expired.
      return status === 401 && this.#renew() ? await post() : status;
    } catch {
      return 0;
    }
  }

  /** Authenticates what is posted from now on. */
  #renew(): boolean {
    if (this.#nextToken === undefined) return false;
    this.#token = this.#nextToken;
    this.#nextToken = undefined;
    return true;
  }

  #fetch(
    method: 'GET' | 'POST',
    path: string,
    headers: Record<string, string>,
    body?: string,
  ): ReturnType<FetchLike> {
    const token = this.#token;
    // A browser's fetch must not be called as a method of another object.
    const { fetch } = this;
    return fetch(this.#base + path, {
      method,
      headers: { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      ...(body !== undefined && { body }),
      credentials: token === undefined ? 'include' : 'same-origin',
      cache: 'no-store',
      signal: this.#abort.signal as never,
    });
  }

  #end(code: number, reason: string, status?: number): void {
    if (this.#over) return;
    this.close();
    this.events.closed(code, reason, status);
  }
}
