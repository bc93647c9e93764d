import { connect } from 'node:net';
import { constants, inflateRawSync } from 'node:zlib';
import { nowMicros, publishedAt } from './payload.js';
import { clientFrame, handshakeText, opcodes, readFrames } from './wire.js';

/** All sockets read into this buffer. Nothing is kept of it once a read has been handled. */
const readBuffer = Buffer.allocUnsafe(262_144);

const nothing = Buffer.alloc(0);

/** The bytes that the sender omits (RFC 7692, section 7.2.2). */
const deflateTail = Buffer.from([0, 0, 0xff, 0xff]);

/** One client: a TCP socket, a handshake, a few topics, and then a counter. */
export class SwarmClient {
  /** Events since the last `reset`. */
  delivered = 0;
  bytes = 0;
  /** Latencies of sampled events in milliseconds. Only a few clients take samples. */
  /** @type {number[] | undefined} */
  samples = undefined;
  closed = false;
  /** The status of a handshake that succeeded. */
  opened = '101';
  handshaking = true;
  welcomed = false;
  rest = nothing;
  subscribed = 0;
  compressed = 0;
  /** Publications that the server reported lost. */
  reported = 0;
  /** @type {import('./account.js').Account | undefined} */
  account = undefined;

  /**
   * @param {import('../peers/peer.js').Dialect} dialect
   * @param {readonly string[]} topics
   * @param {() => void} onEvent
   * @param {{ inflates?: boolean, localAddress?: string }} [options]
   */
  constructor(dialect, topics, onEvent, { inflates = false, localAddress } = {}) {
    this.dialect = dialect;
    this.topics = topics;
    this.onEvent = onEvent;
    this.inflates = inflates;
    this.localAddress = localAddress;
  }

  /** Resolves once the handshake is done and every subscription confirmed. */
  open(port, index) {
    return new Promise((resolve, reject) => {
      this.ready = resolve;
      this.fail = reject;
      const socket = connect({
        port,
        host: '127.0.0.1',
        localAddress: this.localAddress,
        onread: { buffer: readBuffer, callback: (length) => this.read(length) },
      });
      this.socket = socket;
      socket.on('connect', () => socket.write(this.request(port, index)));
      socket.on('error', (error) => this.end(error));
      socket.on('close', () => this.end(new Error('The server closed the connection')));
    });
  }

  request(port, index) {
    const { path, headers = [] } = this.dialect.handshake(index, this.topics);
    const extensions = this.inflates ? ['Sec-WebSocket-Extensions: permessage-deflate'] : [];
    return handshakeText(port, { path, headers: [...headers, ...extensions] });
  }

  /** Returns the length of the complete messages, each of which it has handled. */
  readMessages(bytes) {
    return readFrames(bytes, this);
  }

  say(text) {
    this.socket.write(clientFrame(opcodes.text, Buffer.from(text)));
  }

  reset(takesSamples) {
    this.delivered = 0;
    this.compressed = 0;
    this.bytes = 0;
    this.samples = takesSamples ? [] : undefined;
  }

  destroy() {
    this.fail = undefined;
    this.socket.destroy();
  }

  end(error) {
    this.closed = true;
    this.fail?.(error);
    this.fail = undefined;
  }

  read(length) {
    const chunk = readBuffer.subarray(0, length);
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    try {
      const used = this.handshaking ? this.readHandshake(bytes) : 0;
      this.bytes += length;
      const frames = used === 0 ? bytes : bytes.subarray(used);
      const read = this.handshaking ? 0 : this.readMessages(frames);
      this.rest = read === frames.length ? nothing : Buffer.from(frames.subarray(read));
    } catch (error) {
      this.end(error);
      this.socket.destroy();
    }
    return true;
  }

  readHandshake(bytes) {
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) return 0;
    const status = bytes.toString('latin1', 0, bytes.indexOf('\r\n'));
    if (!status.startsWith(`HTTP/1.1 ${this.opened} `)) throw new Error(`The server answered: ${status}`);
    this.handshaking = false;
    this.act(this.dialect.opened(this.topics));
    return end + 4;
  }

  frame(bytes, opcode, start, end, compressed) {
    if (compressed) {
      this.compressed += 1;
      this.inflated(bytes.subarray(start, end));
    } else if (opcode === opcodes.text) {
      if (this.dialect.isEvent(bytes, start, end)) this.event(bytes, start, end);
      else this.heard(bytes.toString('utf8', start, end));
    } else if (opcode === opcodes.ping) {
      this.socket.write(clientFrame(opcodes.pong, bytes.subarray(start, end)));
    } else if (opcode === opcodes.close) {
      throw new Error(`The server closed: ${bytes.toString('utf8', start + 2, end)}`);
    }
  }

  heard(text) {
    this.account?.heard(text);
    this.act(this.dialect.heard(text, this.topics));
  }

  /** Only sampling clients inflate the message, because the server is what is measured. */
  inflated(payload) {
    if (this.samples === undefined) {
      this.event(payload, 0, 0);
      return;
    }
    const text = inflateRawSync(Buffer.concat([payload, deflateTail]), {
      finishFlush: constants.Z_SYNC_FLUSH,
    });
    if (!this.dialect.isEvent(text, 0, text.length)) throw new Error('A compressed message that is no event');
    this.event(text, 0, text.length);
  }

  event(bytes, start, end) {
    this.delivered += 1;
    this.account?.event(JSON.parse(bytes.toString('utf8', start, end)));
    if (this.samples !== undefined) {
      const at = publishedAt(bytes, start, end);
      if (at !== undefined) this.samples.push((nowMicros() - at) / 1_000);
    }
    this.onEvent();
  }

  /** Sends `count` requests with at most `window` outstanding. Resolves once all are answered. */
  sendRequests(kind, count, window) {
    const frame = clientFrame(opcodes.text, Buffer.from(this.dialect.requests[kind]));
    let sent = 0;
    let answered = 0;
    return new Promise((resolve) => {
      this.onAnswered = (more) => {
        answered += more;
        for (; sent < count && sent - answered < window; sent++) this.socket.write(frame);
        if (answered >= count) resolve(answered);
      };
      this.onAnswered(0);
    });
  }

  /** @param {import('../peers/peer.js').Move} move */
  act({ say = [], welcome = false, subscribed = 0, answered = 0, lost = 0 }) {
    if (lost > 0) this.reported += lost;
    if (answered > 0) this.onAnswered(answered);
    for (const text of say) this.say(text);
    this.welcomed ||= welcome;
    this.subscribed += subscribed;
    if (!this.welcomed || this.subscribed < this.topics.length) return;
    this.fail = undefined;
    this.ready();
  }
}
