import { connect } from 'node:net';
import { SwarmClient } from './swarm-client.js';
import { opcodes } from './wire.js';

const blankLine = Buffer.from('\n\n');
const data = Buffer.from('data: ');

/** A client of an event stream, whose messages are requests on sockets of their own. */
export class StreamClient extends SwarmClient {
  opened = '200';
  session = '';
  sequence = 0;
  /** @type {readonly string[]} */
  lines = [];

  request(port, index) {
    const { path, headers } = this.dialect.handshake(index, this.topics);
    this.port = port;
    this.lines = [`Host: 127.0.0.1:${String(port)}`, ...headers];
    return [`GET ${path} HTTP/1.1`, ...this.lines, '\r\n'].join('\r\n');
  }

  /** Hands each complete event to `frame`. Returns the length of them all. */
  readMessages(bytes) {
    let at = 0;
    for (let end = bytes.indexOf(blankLine); end >= 0; end = bytes.indexOf(blankLine, at)) {
      if (bytes[at] === data[0]) this.frame(bytes, opcodes.text, at + data.length, end, false);
      else this.named(bytes.toString('utf8', at, end));
      at = end + blankLine.length;
    }
    return at;
  }

  named(event) {
    const [, name, text = ''] = /^event: (\w+)\ndata: (.*)$/s.exec(event) ?? [];
    if (name === 'session') this.session = text;
    else if (name === 'ping') this.say('');
    else throw new Error(`The server sent: ${event}`);
  }

  say(text) {
    this.sequence += 1;
    const head = [
      `POST ${this.dialect.messagesPath} HTTP/1.1`,
      ...this.lines,
      'Connection: close',
      'Content-Type: application/x-ndjson',
      `Live-Session: ${this.session}`,
      `Live-Sequence: ${String(this.sequence)}`,
      `Content-Length: ${String(Buffer.byteLength(text))}`,
      '\r\n',
    ];
    const socket = connect(this.port, '127.0.0.1', () => socket.write(head.join('\r\n') + text));
    socket.on('data', (answer) => {
      if (!answer.toString('latin1').startsWith('HTTP/1.1 204 '))
        this.end(new Error(answer.toString('latin1')));
    });
    socket.on('error', (error) => this.end(error));
  }
}
