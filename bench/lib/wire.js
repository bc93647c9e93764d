// The client side of a WebSocket, written to be as light as possible, since the server is measured.

export const opcodes = { text: 1, close: 8, ping: 9, pong: 10 };

/**
 * @typedef {object} Sink
 * @property {boolean} [inflates] also accepts compressed frames (RFC 7692)
 * @property {(bytes: Uint8Array, opcode: number, start: number, end: number,
 *   compressed: boolean) => void} frame
 */

/**
 * Extracts frames from a server's bytes. Server frames are not masked (RFC 6455, section 5.1).
 *
 * @param {Uint8Array} bytes complete frames, and possibly the start of one
 * @param {Sink} sink receives every complete frame, with its payload in `bytes[start, end)`
 * @returns {number} the number of bytes in complete frames
 */
export function readFrames(bytes, sink) {
  let at = 0;
  while (bytes.length - at >= 2) {
    let length = bytes[at + 1];
    let start = at + 2;
    if (length === 126) {
      if (bytes.length - at < 4) break;
      length = bytes[at + 2] * 256 + bytes[at + 3];
      start = at + 4;
    } else if (length === 127) {
      if (bytes.length - at < 10) break;
      length = new DataView(bytes.buffer, bytes.byteOffset + at + 6, 4).getUint32(0);
      start = at + 10;
    }
    if (bytes.length < start + length) break;
    const kind = bytes[at] & 0xf0;
    if (kind !== 0x80 && !(kind === 0xc0 && sink.inflates))
      throw new Error('Unexpected fragment or compressed frame');
    sink.frame(bytes, bytes[at] & 0x0f, start, start + length, kind === 0xc0);
    at = start + length;
  }
  return at;
}

/** A client frame. Masked with zeros, as a mask is required but need not change the bytes. */
export function clientFrame(opcode, payload) {
  const header = payload.length < 126 ? 6 : 8;
  const frame = Buffer.alloc(header + payload.length);
  frame[0] = 0x80 | opcode;
  if (header === 6) {
    frame[1] = 0x80 | payload.length;
  } else {
    frame[1] = 0x80 | 126;
    frame.writeUInt16BE(payload.length, 2);
  }
  frame.set(payload, header);
  return frame;
}

/** The opening handshake of a client. */
export function handshakeText(port, { path, headers = [] }) {
  return [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${String(port)}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
    '\r\n',
  ].join('\r\n');
}
