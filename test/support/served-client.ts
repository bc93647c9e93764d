import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';

const dist = resolve(import.meta.dirname, '../../dist');

/**
 * Serves the client as shipped, unbundled, with a page on its own origin. `posted` gets what a page
 * posts.
 */
export async function serveClient(
  files: Readonly<Record<string, string>> = {},
  posted: (request: IncomingMessage) => void = () => {},
): Promise<string> {
  const server = createServer((request, response) => {
    const name = request.url ?? '';
    const isShipped = /^\/(?:client|protocol|tabs)\/[\w./-]+\.js$/.test(name) && files[name] === undefined;
    response.setHeader('content-type', name.endsWith('.js') ? 'text/javascript' : 'text/html');
    if (request.method === 'POST') posted(request);
    response.end(
      isShipped ? readFileSync(join(dist, name)) : (files[name] ?? files['/'] ?? '<!doctype html>'),
    );
  });
  await new Promise<void>((listening) => {
    server.listen(0, '127.0.0.1', listening);
  });
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}
