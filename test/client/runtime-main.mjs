// `<runtime> runtime-main.mjs <client module> <control URL> <scenario>`
// Does what runtime-page.html does, without a page.
import { scenarios } from './runtime-scenarios.mjs';

const given = globalThis.Deno === undefined ? process.argv.slice(2) : Deno.args;
const [module, control, name] = given;
const { connect } = await import(module);
// Node 20 has no WebSocket.
const options = globalThis.WebSocket === undefined ? { webSocket: (await import('ws')).WebSocket } : {};
const tell = async (what, body) => (await fetch(`${control}/${what}`, { method: 'POST', body })).text();
const seen = await scenarios[name](connect, await tell('url'), tell, options);
await tell('result', JSON.stringify(seen));
