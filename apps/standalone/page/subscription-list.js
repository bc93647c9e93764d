import { byId, element, setText } from './dom.js';
import { count } from './format.js';

const everyMs = 250;
const words = { waiting: 'waiting', asking: 'asking', live: 'live', refused: 'refused', ended: 'ended' };

/** @typedef {import('./subscriptions.js').Subscription} Subscription */

/** Position and counts of what is followed; a gap of which nobody told is red. */
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

  /** @param {Subscription} subscription */
  update({ state, epoch, offset, events, missing, lost, recoveries, restarts, note }) {
    this.item.dataset.state = state;
    setText(this.#state, words[state]);
    setText(
      this.#position,
      epoch === undefined ? '' : `epoch ${epoch.slice(0, 8)} · offset ${count(offset ?? 0)}`,
    );
    this.#position.title = epoch ?? '';
    const extras = [
      `${count(events)} ${events === 1 ? 'event' : 'events'}`,
      recoveries > 0 && `${recoveries} × recovered`,
      restarts > 0 && `${restarts} × started anew`,
      lost > 0 && `${count(lost)} told lost`,
    ];
    setText(this.#counts, extras.filter(Boolean).join(' · '));
    this.#gap.className = missing > 0 ? 'gap bad' : 'gap';
    setText(this.#gap, missing > 0 ? `gap: ${count(missing)} missing` : state === 'live' ? 'no gap' : '');
    setText(this.#note, state === 'refused' || state === 'ended' ? (note ?? '') : '');
  }
}

/**
 * @param {import('./live-connection.js').LiveConnection} connection
 * @param {(topic: string) => void} leave
 */
export function startSubscriptionList(connection, leave) {
  const list = byId('subscriptions', HTMLUListElement);
  /** @type {Map<Subscription, SubscriptionRow>} */
  let rows = new Map();
  const show = () => {
    const before = rows;
    rows = new Map(
      connection.subscriptions
        .all()
        .map((subscription) => [
          subscription,
          before.get(subscription) ??
            new SubscriptionRow(subscription.topic, () => leave(subscription.topic)),
        ]),
    );
    for (const [subscription, row] of before) if (!rows.has(subscription)) row.item.remove();
    for (const [subscription, row] of rows) {
      row.update(subscription);
      if (!row.item.isConnected) list.append(row.item);
    }
    list.classList.toggle('empty', rows.size === 0);
  };
  setInterval(show, everyMs);
  show();
}
