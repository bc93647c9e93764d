import { byId, setText } from './dom.js';

/**
 * @typedef {import('./page-client.js').PageClient} PageClient
 * @typedef {object} Config
 * @property {string} socketUrl
 * @property {string} instanceId
 * @property {boolean} development
 * @property {string} metricsUrl
 * @property {string} healthUrl
 */

/** @param {PageClient} connection */
function describe({ state, detail: { code, reason, delayMs, refused } }) {
  const cause = refused ? 'handshake failed' : [code, reason].filter(Boolean).join(' ');
  if (state === 'waiting') return `${cause}, next try in ${((delayMs ?? 0) / 1000).toFixed(1)} s`;
  return state === 'closed' ? cause : '';
}

/** What the user can do about it. @param {PageClient} connection @param {Config} config */
async function advice({ detail }, { development, healthUrl }) {
  if (detail.code === 4501) {
    return development
      ? 'The credential has expired. Reload the page for a new one.'
      : 'The credential has expired.';
  }
  if (!detail.refused) return '';
  const answer = await fetch(healthUrl).catch(() => undefined);
  if (!answer) return 'The server cannot be reached.';
  if (!answer.ok) return 'The server is up but not ready, so it accepts no connections for now.';
  return development
    ? 'The server is ready but refused the handshake. Reload the page for a new credential.'
    : 'The server is ready but refused the handshake: check the token, and that this origin is allowed.';
}

/**
 * The connection state in the header, its button, and the token form.
 * @param {PageClient} connection
 * @param {Config} config
 */
export function startConnectionPanel(connection, config) {
  const state = byId('state', HTMLElement);
  const button = byId('link-button', HTMLButtonElement);
  const notice = byId('notice', HTMLElement);
  const token = byId('token', HTMLInputElement);
  const form = byId('token-form', HTMLFormElement);

  const showNotice = (/** @type {string} */ text) => {
    setText(notice, text);
    notice.hidden = text === '';
  };
  const show = async () => {
    const shown = connection.state;
    state.dataset.state = shown;
    document.body.dataset.link = shown;
    setText(byId('state-word', HTMLElement), shown);
    setText(byId('state-detail', HTMLElement), describe(connection));
    setText(
      button,
      { open: 'Disconnect', connecting: 'Cancel', waiting: 'Try now', closed: 'Connect' }[shown],
    );
    if (shown === 'open') {
      showNotice('');
      setText(byId('instance', HTMLElement), connection.detail.instanceId ?? '');
    }
    const text = await advice(connection, config);
    if (text && connection.state === shown) showNotice(text);
  };
  connection.addEventListener('state', () => void show());

  button.addEventListener('click', () => {
    if (connection.state === 'open' || connection.state === 'connecting') connection.close();
    else connection.open(token.value.trim());
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    connection.open(token.value.trim());
  });
  form.hidden = config.development;
  void show();
  if (config.development) connection.open();
  else token.focus();
}
