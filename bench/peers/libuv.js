import { setImmediate } from 'node:timers';
import process from 'node:process';
import { startWs, wsDialect } from './ws-server.js';

export const title = 'libuv’s write, a floor for Node';
export const dialect = wsDialect;

/**
 * A lower bound for Node that no real server should reach: one frame for all, joined per topic and
 * client within a tick, written to the handle below Node's streams, which do not know of it. There
 * are no queues, limits or errors.
 */
export async function start() {
  const { Sender } = await import('ws');
  const { WriteWrap } = process.binding('stream_wrap');
  return startWs((topics) => {
    /** @type {Map<string, Buffer[]>} */
    const published = new Map();
    const flush = () => {
      const waiting = new Map();
      for (const [topic, frames] of published) {
        const joined = join(frames);
        for (const client of topics.get(topic) ?? []) {
          const parts = waiting.get(client);
          if (parts === undefined) waiting.set(client, [joined]);
          else parts.push(joined);
        }
      }
      published.clear();
      for (const [client, parts] of waiting) {
        const { _handle: handle } = client._socket;
        if (handle === null) continue;
        const request = new WriteWrap();
        request.oncomplete = ignore;
        handle.writeBuffer(request, join(parts));
      }
    };
    return (topic, data) => {
      const message = Buffer.from(JSON.stringify({ type: 'event', topic, data }));
      const options = { fin: true, rsv1: false, opcode: 1, mask: false, readOnly: true };
      const frame = Buffer.concat(Sender.frame(message, options));
      if (published.size === 0) setImmediate(flush);
      const frames = published.get(topic);
      if (frames === undefined) published.set(topic, [frame]);
      else frames.push(frame);
    };
  });
}

function join(buffers) {
  return buffers.length === 1 ? buffers[0] : Buffer.concat(buffers);
}

function ignore() {}
