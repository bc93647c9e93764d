import { connect } from 'nestjs-live/client';
import { fromCollection, fromStatus, fromTopic } from 'nestjs-live/rxjs';
import { filter, map, scan } from 'rxjs';

interface Car {
  readonly x: number;
  readonly y: number;
}

const live = connect<{ cars: Car }>('/live');

const root = document.getElementById('root');
if (root === null) throw new Error('There is no #root');
root.innerHTML = '<p id="state"></p><p id="moves"></p><ul></ul>';
const [state, moves, list] = [...root.children];

fromStatus(live).subscribe((status) => (state.textContent = status.state));
fromTopic(live, 'cars')
  .pipe(
    filter(({ type }) => type === 'event'),
    scan((count) => count + 1, 0),
  )
  .subscribe((count) => (moves.textContent = `${count} moves`));
fromCollection(live, 'cars')
  .pipe(map(({ data }) => [...data].map(([id, { x, y }]) => `${id}: ${x}, ${y}`)))
  .subscribe((lines) =>
    list.replaceChildren(
      ...lines.map((text) => Object.assign(document.createElement('li'), { textContent: text })),
    ),
  );
