import { byId, element, setText } from './dom.js';
import { count } from './format.js';

const everyMs = 250;
/** @typedef {import('./followed-topic.js').FollowedTopic} FollowedTopic */

/** Position and counts of a followed topic. An unreported gap is red. */
class SubscriptionRow {
  item = element('li', { class: 'subscription' });
  #topic = element('code', { class: 'name' });
  #state = element('span', { class: 'badge' });
  #position = element('span', { class: 'position' });
  #counts = element('span', {});
  #gap = element('span', { class: 'gap' });
  #note = element('span', { class: 'note' });

  /** @param {string} topic @param {() => void} leave */
  constructor(topic, leave) {
    const button = element(
      'button',
      { type: 'button', class: 'icon', 'aria-label': `Unsubscribe ${topic}` },
      '×',
    );
    button.addEventListener('click', leave);
    setText(this.#topic, topic);
    const facts = element('p', { class: 'facts' }, this.#position, this.#counts, this.#gap, this.#note);
    this.item.append(element('p', { class: 'head' }, this.#topic, this.#state), facts, button);
  }

  /** @param {FollowedTopic} subscription */
  update({ state, position, events, missing, lost, recoveries, restarts, note }) {
    this.item.dataset.state = state;
    setText(this.#state, state);
    setText(
      this.#position,
      position ? `epoch ${position.epoch.slice(0, 8)} · offset ${count(position.offset)}` : '',
    );
    this.#position.title = position?.epoch ?? '';
    const extras = [
      `${count(events)} ${events === 1 ? 'event' : 'events'}`,
      recoveries > 0 && `${recoveries} × recovered`,
      restarts > 0 && `${restarts} × started over`,
      lost > 0 && `${count(lost)} reported lost`,
    ];
    setText(this.#counts, extras.filter(Boolean).join(' · '));
    this.#gap.className = missing > 0 ? 'gap bad' : 'gap';
    setText(this.#gap, missing > 0 ? `gap: ${count(missing)} missing` : state === 'live' ? 'no gap' : '');
    setText(this.#note, state === 'live' ? '' : note);
  }
}

/**
 * @param {import('./page-client.js').PageClient} connection
 * @param {(topic: string) => void} leave
 */
export function startSubscriptionList(connection, leave) {
  const list = byId('subscriptions', HTMLUListElement);
  /** @type {Map<FollowedTopic, SubscriptionRow>} */
  let rows = new Map();
  const show = () => {
    const before = rows;
    rows = new Map(
      Array.from(connection.topics.values(), (followed) => [
        followed,
        before.get(followed) ?? new SubscriptionRow(followed.topic, () => leave(followed.topic)),
      ]),
    );
    for (const [followed, row] of before) if (!rows.has(followed)) row.item.remove();
    for (const [followed, row] of rows) {
      row.update(followed);
      if (!row.item.isConnected) list.append(row.item);
    }
    list.classList.toggle('empty', rows.size === 0);
  };
  setInterval(show, everyMs);
  show();
}
