/**
 * Prepares a canvas to draw in CSS pixels at the resolution of the screen, for any zoom.
 * @param {HTMLCanvasElement} canvas
 */
export function prepare(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = devicePixelRatio;
  const [dotsWide, dotsHigh] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== dotsWide) canvas.width = dotsWide;
  if (canvas.height !== dotsHigh) canvas.height = dotsHigh;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

/** @type {Map<string, string>} */
const colors = new Map();
document.addEventListener('themechange', () => colors.clear());
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => colors.clear());

/**
 * A color of the style sheet in a syntax that a canvas understands.
 * @param {string} name name of the custom property, without the leading dashes
 */
export function color(name) {
  const known = colors.get(name);
  if (known) return known;
  const probe = document.createElement('span');
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  colors.set(name, value);
  return value;
}

const font = 'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

/** @param {number} size @param {number} [weight] */
export const textFont = (size, weight = 400) => `${weight} ${size}px ${font}`;

const lessMotion = matchMedia('(prefers-reduced-motion: reduce)');
export const prefersLessMotion = () => lessMotion.matches;

/**
 * Calls `draw` before each paint while the element is visible.
 * @param {HTMLElement} element
 * @param {(now: number) => void} draw
 */
export function drawWhileVisible(element, draw) {
  let visible = false;
  /** @param {number} now */
  const frame = (now) => {
    if (!visible) return;
    draw(now);
    requestAnimationFrame(frame);
  };
  new IntersectionObserver(([entry]) => {
    const wasVisible = visible;
    visible = entry?.isIntersecting ?? false;
    if (visible && !wasVisible) requestAnimationFrame(frame);
  }).observe(element);
}

/** The smallest 1, 2 or 5 times a power of ten that is at least `min`. @param {number} min */
export function niceStep(min) {
  const power = 10 ** Math.floor(Math.log10(Math.max(min, 1e-9)));
  return /** @type {number} */ ([1, 2, 5, 10].find((factor) => factor * power >= min * 0.999)) * power;
}
