// Renders the cars in both ways of React, and prints them with the connections that were opened.
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { connect } from 'nestjs-live/client';
import { renderToPipeableStream, renderToString } from 'react-dom/server';
import { App } from './rendered.jsx';

const sockets = [];
globalThis.WebSocket = class {
  constructor(url) {
    sockets.push(url);
  }
  addEventListener() {}
};
const client = connect('wss://example.org/live');
const whole = renderToString(<App client={client} />);
const streamed = await text(renderToPipeableStream(<App client={client} />).pipe(new PassThrough()));
// Anything that is left keeps the process running.
process.on('exit', () => process.stdout.write(JSON.stringify({ whole, streamed, sockets })));
