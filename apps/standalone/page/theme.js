const storageKey = 'nestjs-live.theme';
const systemDark = matchMedia('(prefers-color-scheme: dark)');
const root = document.documentElement;

/** @returns {'light' | 'dark'} the current theme */
function current() {
  const chosen = root.dataset.theme;
  if (chosen === 'light' || chosen === 'dark') return chosen;
  return systemDark.matches ? 'dark' : 'light';
}

/** @param {string | null} theme `null` follows the system */
function choose(theme) {
  if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
  else delete root.dataset.theme;
}

function announce() {
  const button = document.getElementById('theme-toggle');
  const label = `Switch to the ${current() === 'dark' ? 'light' : 'dark'} theme`;
  button?.setAttribute('aria-label', label);
  button?.setAttribute('title', label);
  document.dispatchEvent(new Event('themechange'));
}

/**
 * Storage may be forbidden. The theme then lasts until the next load.
 * @param {(storage: Storage) => void} use
 */
function withStorage(use) {
  try {
    use(localStorage);
  } catch {
    // The page works without it.
  }
}

withStorage((storage) => choose(storage.getItem(storageKey)));
systemDark.addEventListener('change', announce);

/** The button switches the theme. Switching back to the system's theme follows the system again. */
export function startThemeToggle() {
  document.getElementById('theme-toggle')?.addEventListener('click', () => {
    const next = current() === 'dark' ? 'light' : 'dark';
    const followsSystem = (next === 'dark') === systemDark.matches;
    choose(followsSystem ? null : next);
    withStorage((storage) =>
      followsSystem ? storage.removeItem(storageKey) : storage.setItem(storageKey, next),
    );
    announce();
  });
  announce();
}
