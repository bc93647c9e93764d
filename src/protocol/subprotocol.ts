/** The one subprotocol that a server selects. [L-1.3] */
export const liveSubprotocol = 'live.v1';

/** Prefix of a credential in the subprotocol list. Browsers cannot set headers. [L-1.2] */
export const bearerPrefix = 'bearer.';
