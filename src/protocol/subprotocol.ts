/** The one subprotocol that a server selects. [L-1.3] */
export const liveSubprotocol = 'live.v1';

/** How a credential travels in the subprotocol list, where a browser cannot set a header. [L-1.2] */
export const bearerPrefix = 'bearer.';
