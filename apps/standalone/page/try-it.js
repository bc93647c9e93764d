import { byId, setText } from './dom.js';
import { startFrameLog } from './frame-log.js';
import { startSubscriptionList } from './subscription-list.js';

/** @typedef {import('./page-client.js').PageClient} PageClient */

/** @param {string} text @returns {{value: unknown} | {problem: string}} */
function parse(text) {
  if (text.trim() === '') return { problem: 'Enter data: any JSON value.' };
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { problem: `Invalid JSON: ${error instanceof Error ? error.message : error}` };
  }
}

/** Shows the last answer of the server. @param {any} answer @param {boolean} [bad] */
function showAnswer(answer, bad = false) {
  const target = byId('answer', HTMLElement);
  target.classList.toggle('bad', bad);
  setText(target, answer);
}

/** @param {Promise<any>} request @param {(answer: any) => string} granted */
async function report(request, granted) {
  try {
    showAnswer(granted(await request));
  } catch (error) {
    const { code, message, details } = /** @type {any} */ (error);
    const again = details?.retryAfterMs === undefined ? '' : ` (again in ${details.retryAfterMs} ms)`;
    showAnswer(`${code ? `${code}: ` : ''}${message}${again}`, true);
  }
}

/** @param {string} topic @param {{epoch: string, offset: number}} answer */
const at = (topic, { epoch, offset }) => `${topic} at offset ${offset}, epoch ${epoch}`;

/** @param {PageClient} connection @param {Set<string>} background */
function startSubscribing(connection, background) {
  const input = byId('topic', HTMLInputElement);
  const leave = (/** @type {string} */ topic) => {
    background.delete(topic);
    showAnswer(connection.unsubscribe(topic) ? `unsubscribed ${topic}` : `not subscribed to ${topic}`);
  };
  byId('subscribe-form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    const topic = input.value.trim();
    background.delete(topic);
    void report(connection.subscribe(topic), (answer) =>
      answer ? `subscribed ${at(topic, answer)}` : `${topic} will be subscribed after connecting`,
    );
  });
  byId('unsubscribe', HTMLButtonElement).addEventListener('click', () => leave(input.value.trim()));
  startSubscriptionList(connection, leave);
}

/** @param {PageClient} connection */
function startPublishing(connection) {
  const [form, data] = [byId('publish-form', HTMLFormElement), byId('publish-data', HTMLTextAreaElement)];
  const [topic, key] = [byId('publish-topic', HTMLInputElement), byId('publish-key', HTMLInputElement)];
  const [help, asString] = [byId('publish-help', HTMLElement), byId('publish-string', HTMLButtonElement)];

  const check = () => {
    const parsed = parse(data.value);
    const bad = 'problem' in parsed;
    help.classList.toggle('bad', bad);
    data.setAttribute('aria-invalid', String(bad));
    setText(help, bad ? parsed.problem : 'Valid JSON. Ctrl + Enter publishes.');
    asString.hidden = !bad || data.value.trim() === '';
    return parsed;
  };
  const publish = (/** @type {unknown} */ value) =>
    report(
      connection.publish(topic.value.trim(), value, key.value),
      (answer) => `published ${at(topic.value.trim(), answer)}`,
    );

  data.addEventListener('input', check);
  data.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const parsed = check();
    if ('value' in parsed) void publish(parsed.value);
    else (asString.hidden ? data : asString).focus();
  });
  asString.addEventListener('click', () => void publish(data.value));
  check();
}

/**
 * @param {PageClient} connection
 * @param {readonly string[]} followed topics that the page shows elsewhere
 */
export function startTryIt(connection, followed) {
  const background = new Set(followed);
  startSubscribing(connection, background);
  startPublishing(connection);
  startFrameLog(connection, (topic) => background.has(topic));
}
