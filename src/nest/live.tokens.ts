/** Injects the module's options with every default filled in (`ResolvedLiveOptions`). */
export const LIVE_SETTINGS = Symbol('nestjs-live:settings');

/** Injects the broker. */
export const LIVE_BROKER = Symbol('nestjs-live:broker');

/** Injects the clock. */
export const LIVE_CLOCK = Symbol('nestjs-live:clock');
