import { startConnectionPanel } from './connection-panel.js';
import { byId, setText } from './dom.js';
import { startMap } from './map.js';
import { PageClient } from './page-client.js';
import { startThemeToggle } from './theme.js';
import { startTryIt } from './try-it.js';
import { startVitals } from './vitals.js';

/** @typedef {import('./connection-panel.js').Config} Config */

const loopback = new Set(['127.0.0.1', 'localhost', '[::1]']);

/**
 * Cookies belong to one host name: a page at `localhost` must not open its socket at `127.0.0.1`.
 * @param {string} given
 */
function socketUrl(given) {
  const url = new URL(given);
  if (loopback.has(url.hostname) && loopback.has(location.hostname)) url.hostname = location.hostname;
  return url.href;
}

/** @param {Config} config @param {string} url */
function showHowTo(config, url) {
  setText(byId('instance', HTMLElement), config.instanceId);
  byId('metrics-link', HTMLAnchorElement).href = config.metricsUrl;
  byId('health-link', HTMLAnchorElement).href = config.healthUrl;
  setText(
    byId('code-subscribe', HTMLElement),
    `import { connect } from 'nestjs-live/client';

const client = connect('${url}', { credential: token });
client.subscribe('fleet/demo', (message) => console.log(message));`,
  );
  setText(
    byId('code-publish', HTMLElement),
    `curl ${location.origin}/publish \\
  -H "Authorization: Bearer $LIVE_PUBLISH_KEY" \\
  -H 'Content-Type: application/json' \\
  -d '{"topic": "chat/room-1", "data": "Hello from curl"}'`,
  );
}

async function start() {
  startThemeToggle();
  /** @type {Config} */
  const config = await (await fetch('page/config.json')).json();
  const url = socketUrl(config.socketUrl);
  showHowTo(config, url);
  const connection = new PageClient(url);
  startVitals(connection);
  startMap(connection);
  startTryIt(connection, ['system/vitals', 'fleet/demo']);
  startConnectionPanel(connection, config);
}

try {
  await start();
} catch (error) {
  const notice = byId('notice', HTMLElement);
  setText(notice, `The page could not start: ${error instanceof Error ? error.message : error}`);
  notice.hidden = false;
}
