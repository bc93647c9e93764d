/** The part of an answer that is used. */
export interface FetchedResponse {
  /** HTTP status. */
  readonly status: number;
  /** The body; React Native has none. */
  readonly body?: {
    /** Reads it piece by piece. */
    getReader(): {
      /** The next piece. */
      read(): Promise<{
        /** Whether the body has ended. */
        readonly done: boolean;
        /** The piece. */
        readonly value?: Uint8Array | undefined;
      }>;
    };
  } | null;
}

/** What is asked for. */
export interface FetchRequest {
  /** HTTP method. */
  readonly method: 'GET' | 'POST';
  /** Request headers. */
  readonly headers: Readonly<Record<string, string>>;
  /** Messages, for `POST`. */
  readonly body?: string;
  /** Without a token, cookies are sent also to another origin. */
  readonly credentials: 'same-origin' | 'include';
  /** Events must not come from a cache. */
  readonly cache: 'no-store';
  /** Ends the request. */
  readonly signal: never;
}

/** The part of `fetch` that is used. Browsers and Node provide it. */
export type FetchLike = (url: string, request: FetchRequest) => Promise<FetchedResponse>;
