/** Deepest JSON that is published as text: deeper text parses, but overflows everything that walks it. */
export const maxDataDepth = 64;

const quote = 0x22;
const backslash = 0x5c;

/** Counts brackets outside of strings; a loop, because what it guards against is depth. */
export function isDeeperThan(text: string, maxDepth: number): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === backslash) i += 1;
      else if (code === quote) inString = false;
    } else if (code === quote) inString = true;
    // `[` and `{`, `]` and `}` differ in one bit.
    else if ((code | 0x20) === 0x7b && ++depth > maxDepth) return true;
    else if ((code | 0x20) === 0x7d) depth -= 1;
  }
  return false;
}
