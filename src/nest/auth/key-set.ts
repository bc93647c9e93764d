import { codeOf, isTokenFault } from './refusal.js';

/** Finds the key of a token; rejects if there is none. */
type GetKey<Header, Token, Key> = (header?: Header, token?: Token) => Promise<Key>;

interface KeySet {
  readonly keys: readonly unknown[];
}

/** The parts of jose used here; only `jwt-verifier` imports jose. */
interface JoseKeySets<Header, Token, Key> {
  readonly jwksCache: symbol;
  createRemoteJWKSet(url: URL, options: object): GetKey<Header, Token, Key>;
  createLocalJWKSet(keys: object): GetKey<Header, Token, Key>;
}

export interface KeySetOptions {
  /**
   * Milliseconds after the last good answer during which its keys are used while the key server is
   * unavailable.
   */
  readonly maxStaleMs: number;
  /**
   * Called when old keys are used because the key server is unavailable, at most once per
   * `retryMs`.
   */
  readonly onStale: (reason: string) => void;
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
}

/** Milliseconds for the key server's answer, well below the deadline of an upgrade. */
const timeoutMs = 2_000;
/** Minimum milliseconds between loads caused by tokens with unknown keys. */
const cooldownMs = 30_000;
/** Milliseconds after which good keys are refreshed. */
const maxAgeMs = 600_000;
/**
 * Milliseconds without new requests to a key server that did not answer, if old keys are available.
 */
const retryMs = 10_000;

/**
 * The keys at `url` and, for a limited time, the last good ones: a key server that is unavailable
 * for minutes must not lock everyone out. A key not among the old ones may be new, so its token is
 * neither valid nor invalid.
 */
export function keySetOf<Header, Token, Key>(
  jose: JoseKeySets<Header, Token, Key>,
  url: URL,
  options: KeySetOptions,
): GetKey<Header, Token, Key> {
  const { maxStaleMs, onStale, now = Date.now } = options;
  const loaded: { jwks?: KeySet; uat?: number } = {};
  const remote = jose.createRemoteJWKSet(url, {
    timeoutDuration: timeoutMs,
    cooldownDuration: cooldownMs,
    cacheMaxAge: maxAgeMs,
    [jose.jwksCache]: loaded,
  });
  let old: { readonly keys: GetKey<Header, Token, Key>; readonly of: KeySet } | undefined;
  let failure: { readonly error: unknown; readonly ms: number } | undefined;

  const oldKeys = (): GetKey<Header, Token, Key> | undefined => {
    const { jwks, uat } = loaded;
    if (jwks === undefined || uat === undefined || now() - uat > maxStaleMs) return undefined;
    if (old?.of !== jwks) old = { keys: jose.createLocalJWKSet(jwks), of: jwks };
    return old.keys;
  };

  const fromOld = async (
    keys: GetKey<Header, Token, Key>,
    error: unknown,
    ...asked: [header?: Header, token?: Token]
  ): Promise<Key> => {
    try {
      return await keys(...asked);
    } catch {
      throw error;
    }
  };

  return async (...asked) => {
    const keys = oldKeys();
    if (failure !== undefined && keys !== undefined && now() - failure.ms < retryMs)
      return fromOld(keys, failure.error, ...asked);
    try {
      const key = await remote(...asked);
      failure = undefined;
      return key;
    } catch (error) {
      if (isTokenFault(codeOf(error))) throw error;
      failure = { error, ms: now() };
      if (keys === undefined) throw error;
      onStale(codeOf(error));
      return fromOld(keys, error, ...asked);
    }
  };
}
