/** One WebSocket of a tab, as the shared connection sees it. Nothing is called after `closed`. */
export interface Member {
  /** The first message is the welcome. */
  message(text: string): void;
  closed(code: number, reason: string): void;
}

/** What the tab does with its WebSocket. */
export interface MemberLink {
  send(text: string): void;
  close(): void;
}
