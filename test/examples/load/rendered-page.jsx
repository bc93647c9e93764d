// The page hydrates one root at once, and another when the test says so.
import { connect } from 'nestjs-live/client';
import { useLayoutEffect } from 'react';
import { hydrateRoot } from 'react-dom/client';
import { App } from './rendered.jsx';

const live = connect('/live');
const figures = { served: {}, first: {}, errors: [] };
window.figures = figures;
for (const row of document.querySelectorAll('li')) row.isServed = true;

function Hydrated({ id, container }) {
  useLayoutEffect(() => void (figures.first[id] ??= container.textContent));
  return <App client={live} />;
}

window.hydrate = (id) => {
  const container = document.getElementById(id);
  figures.served[id] = container.textContent;
  hydrateRoot(container, <Hydrated id={id} container={container} />, {
    onRecoverableError: (error) => void figures.errors.push(String(error)),
  });
};
window.rows = () => [...document.querySelectorAll('li')].filter(({ isServed }) => isServed).length;
window.hydrate('root');
