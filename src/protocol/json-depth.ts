/**
 * Maximum nesting depth of published JSON text. Deeper text parses, but code that recurses over it
 * overflows.
 */
export const maxDataDepth = 64;

const quote = 0x22;
const backslash = 0x5c;

/**
 * Counts brackets outside of strings. Iterative, because recursion would overflow on the input it
 * rejects.
 */
export function isDeeperThan(text: string, maxDepth: number): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === backslash) i += 1;
      else if (code === quote) inString = false;
    } else if (code === quote) inString = true;
    // `[` and `{` differ in one bit, and so do `]` and `}`.
    else if ((code | 0x20) === 0x7b && ++depth > maxDepth) return true;
    else if ((code | 0x20) === 0x7d) depth -= 1;
  }
  return false;
}
