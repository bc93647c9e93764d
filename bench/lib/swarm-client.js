import { connect } from 'node:net';
import { nowMicros, publishedAt } from './payload.js';
import { clientFrame, handshakeText, opcodes, readFrames } from './wire.js';

/** All sockets read into these same bytes: nothing is kept of them when a read has been looked at. */
const readBuffer = Buffer.allocUnsafe(262_144);

const nothing = Buffer.alloc(0);

/** One client: a TCP socket, a handshake, a few topics, and from then on a count. */
export class SwarmClient {
  /** Events since the last `reset`. */
  delivered = 0;
  bytes = 0;
  /** Milliseconds that sampled events took; only a few clients take samples. */
  /** @type {number[] | undefined} */
  samples = undefined;
  closed = false;
  handshaking = true;
  welcomed = false;
  rest = nothing;
  subscribed = 0;

  /**
   * @param {import('../peers/peer.js').Dialect} dialect
   * @param {readonly string[]} topics
   * @param {() => void} onEvent
   */
  constructor(dialect, topics, onEvent) {
    this.dialect = dialect;
    this.topics = topics;
    this.onEvent = onEvent;
  }

  /** Resolves when the handshake is done and every subscription confirmed. */
  open(port, index) {
    return new Promise((resolve, reject) => {
      this.ready = resolve;
      this.fail = reject;
      const socket = connect({
        port,
        host: '127.0.0.1',
        onread: { buffer: readBuffer, callback: (length) => this.read(length) },
      });
      this.socket = socket;
      socket.on('connect', () => socket.write(handshakeText(port, this.dialect.handshake(index))));
      socket.on('error', (error) => this.end(error));
      socket.on('close', () => this.end(new Error('The server closed the connection')));
    });
  }

  reset(takesSamples) {
    this.delivered = 0;
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
      const read = this.handshaking ? 0 : readFrames(frames, this);
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
    if (!status.startsWith('HTTP/1.1 101 ')) throw new Error(`The server answered: ${status}`);
    this.handshaking = false;
    this.act(this.dialect.opened(this.topics));
    return end + 4;
  }

  frame(bytes, opcode, start, end) {
    if (opcode === opcodes.text) {
      if (this.dialect.isEvent(bytes, start, end)) this.event(bytes, start, end);
      else this.act(this.dialect.heard(bytes.toString('utf8', start, end), this.topics));
    } else if (opcode === opcodes.ping) {
      this.socket.write(clientFrame(opcodes.pong, bytes.subarray(start, end)));
    } else if (opcode === opcodes.close) {
      throw new Error(`The server closed: ${bytes.toString('utf8', start + 2, end)}`);
    }
  }

  event(bytes, start, end) {
    this.delivered += 1;
    if (this.samples !== undefined) {
      const at = publishedAt(bytes, start, end);
      if (at !== undefined) this.samples.push((nowMicros() - at) / 1_000);
    }
    this.onEvent();
  }

  /** Sends this many requests; resolves when all are answered. At most `window` are outstanding. */
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
  act({ say = [], welcome = false, subscribed = 0, answered = 0 }) {
    if (answered > 0) this.onAnswered(answered);
    for (const text of say) this.socket.write(clientFrame(opcodes.text, Buffer.from(text)));
    this.welcomed ||= welcome;
    this.subscribed += subscribed;
    if (!this.welcomed || this.subscribed < this.topics.length) return;
    this.fail = undefined;
    this.ready();
  }
}
