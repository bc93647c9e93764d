const longest = 256;

/** Controls (also C1, which some terminals obey), invisible and direction-changing characters, line separators. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Most text has none of them. */
const plain = /^[ -~]*$/;

/** Text of a peer as a log may show it in any terminal: at most 256 characters, what cannot be seen as `\u{…}`. */
export function printable(text: string): string {
  if (text.length <= longest && plain.test(text)) return text;
  return text
    .slice(0, longest)
    .replaceAll(unprintable, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
