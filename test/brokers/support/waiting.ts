export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** Waits until `fulfilled` returns true. Throws after `withinMs`. */
export async function until(
  what: string,
  fulfilled: () => boolean | Promise<boolean>,
  withinMs: number,
): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!(await fulfilled())) {
    if (performance.now() > endMs) throw new Error(`Not within ${String(withinMs)} ms: ${what}`);
    await sleep(5);
  }
}
