/** Injects the options given to `forRoot` (`LiveModuleOptions`). */
export const LIVE_OPTIONS = Symbol('nestjs-live:options');

/** Injects the module's options with every default filled in (`ResolvedLiveOptions`). */
export const LIVE_SETTINGS = Symbol('nestjs-live:settings');

/** Injects the options given to `LiveMetricsModule.forRoot` (`LiveMetricsOptions`). */
export const LIVE_METRICS_OPTIONS = Symbol('nestjs-live:metrics-options');

/** Injects the broker. */
export const LIVE_BROKER = Symbol('nestjs-live:broker');

/** Injects the clock. */
export const LIVE_CLOCK = Symbol('nestjs-live:clock');

/** Injects the guards that run before the upgrade. */
export const LIVE_GUARDS = Symbol('nestjs-live:guards');

/** Injects the protocol's verbs (`Verbs`), as the gateway calls them. */
export const LIVE_VERBS = Symbol('nestjs-live:verbs');

/**
 * Injects the gateway's class; its instance would make the receiver request-scoped if the gateway
 * is.
 */
export const LIVE_GATEWAY = Symbol('nestjs-live:gateway');
