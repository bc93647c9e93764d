/** Which handshakes the live server accepts, and how many connections. */
export interface LiveAdmissionOptions {
  /**
   * Origins of pages that may connect, exactly as a browser sends them (`https://app.example`), or
   * `https://*.app.example` for all subdomains of one or more labels, without the domain itself. A
   * page on any of these origins can use its visitors' cookies here, so list no domain with
   * subdomains of strangers. Without this option, a browser that sends cookies, HTTP Basic or a
   * client certificate is refused. [L-1.7]
   */
  readonly allowedOrigins?: readonly string[];
  /**
   * Refuses handshakes without `Origin` but with a credential that browsers add by themselves: a
   * cookie, HTTP Basic, a client certificate. Browsers always send an `Origin`, but behind a proxy
   * that drops it `allowedOrigins` has no effect. Programs that authenticate by cookie must then
   * also send one. [L-1.7]
   *
   * @default false
   */
  readonly requireOrigin?: boolean;
  /** Lets pages of any origin connect with their visitors' cookies. */
  readonly dangerouslyAllowAnyOrigin?: boolean;
  /** Milliseconds until an undecided upgrade is refused with 503. @default 5000 */
  readonly upgradeTimeoutMs?: number;
  /** Maximum undecided upgrades; further ones are refused with 503. @default 1000 */
  readonly maxPendingUpgrades?: number;
  /**
   * Maximum undecided upgrades per address (IPv6: per /64); further ones are refused with 429. 0
   * means no limit. [L-9.13]
   *
   * @default 20 for public addresses, no limit for private ones, where proxies are
   */
  readonly maxPendingUpgradesPerAddress?: number;
  /** Maximum connections; further ones are refused with 503. 0 means no limit. @default 0 */
  readonly maxConnections?: number;
  /**
   * Maximum connections per user, including those whose peer has silently gone; further ones are
   * refused with 429. 0 means no limit.
   *
   * @default 0
   */
  readonly maxConnectionsPerUser?: number;
  /**
   * Maximum connections per address (IPv6: per /64); further ones are refused with 429. 0 means no
   * limit.
   *
   * @default 0
   */
  readonly maxConnectionsPerAddress?: number;
  /**
   * Whose `X-Forwarded-For` to trust for the client's address: the addresses and networks of your
   * proxies (`['10.0.0.0/8']`), or the number of proxies that every client passes. The header is
   * read from its end. [L-9.14]
   *
   * @default no one's: the client's address is the socket's
   */
  readonly trustedProxies?: number | readonly string[];
  /**
   * Whether the proxies in `trustedProxies` start every connection with a PROXY protocol header,
   * version 1 or 2 (HAProxy `send-proxy-v2`, nginx `proxy_protocol on`). It names the client and
   * counts as one proxy. Their connections without a header are refused, as are headers from other
   * addresses. With `port: 'app'` this applies to all connections of the application's server.
   * [L-9.14]
   *
   * @default false, and such a header is refused with a warning
   */
  readonly proxyProtocol?: boolean;
}
