const longest = 256;

/**
 * Control characters (including C1, which some terminals obey), invisible and direction-changing
 * characters, and line separators.
 */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Most text contains none of them. */
const plain = /^[ -~]*$/;

/**
 * Escapes a peer's text so that any terminal can show it: at most 256 characters, invisible ones as
 * `\u{…}`.
 */
export function printable(text: string): string {
  if (text.length <= longest && plain.test(text)) return text;
  return text
    .slice(0, longest)
    .replaceAll(unprintable, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
