import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { connect } from 'node:net';
import process from 'node:process';
import { endOnSignals } from '../lib/ending.js';
import { nginxVersion, nginxWith } from '../lib/nginx.js';
import { childrenOf, cpuMicrosOf, rssOf } from '../lib/process-cost.js';
import { wsDialect } from './ws-server.js';

export const title = 'nchan, a module of nginx';

const nginxModule = '/usr/lib/nginx/modules/ngx_nchan_module.so';

export function missing() {
  return nginxVersion() !== undefined && existsSync(nginxModule)
    ? undefined
    : 'apt-get install libnginx-mod-nchan';
}

/** @type {import('./peer.js').Dialect} */
export const dialect = {
  ...wsDialect,
  handshake: (_, topics) => ({ path: `/sub/${topics.length === 0 ? 'nothing' : topics.join(',')}` }),
  // The subscriptions are part of the handshake.
  opened: (topics) => ({ welcome: true, subscribed: topics.length }),
};

/**
 * One worker, as the others have one process. Applications publish by HTTP: one connection, which
 * does not wait for the answers. Its side is not counted, nginx' side is.
 */
export async function start() {
  endOnSignals();
  const nginx = await nginxWith(configuration, `load_module ${nginxModule};\nworker_processes 1;\n`);
  const publisher = connect(nginx.port, '127.0.0.1').resume();
  await once(publisher, 'connect');
  publisher.on('close', () => process.exit(1));
  // The port answers before there is a worker, so the processes are listed each time.
  const pids = () => [nginx.pid, ...childrenOf(nginx.pid)];
  const sum = (figureOf) => pids().reduce((total, pid) => total + figureOf(pid), 0);
  return {
    port: nginx.port,
    publish(topic, data) {
      const text = JSON.stringify({ type: 'event', topic, data });
      if (publisher.writableCorked === 0) {
        publisher.cork();
        process.nextTick(() => publisher.uncork());
      }
      publisher.write(
        `POST /pub/${topic} HTTP/1.1\r\nHost: nchan\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
      );
    },
    cpuMicros: () => sum(cpuMicrosOf),
    memory: () => ({ rss: sum(rssOf) }),
  };
}

function configuration(port) {
  return `
worker_rlimit_nofile 20000;
events { worker_connections 20000; }
http {
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 1d;
  client_header_timeout 1d;
  server {
    listen 127.0.0.1:${String(port)} backlog=4096;
    location ~ ^/pub/(.+)$ {
      nchan_publisher http;
      nchan_channel_id $1;
    }
    location ~ ^/sub/(.+)$ {
      nchan_subscriber websocket;
      nchan_channel_id $1;
      nchan_channel_id_split_delimiter ",";
      nchan_max_channel_id_length 4096;
      nchan_subscriber_first_message newest;
    }
  }
}
`;
}
