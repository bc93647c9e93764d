// These functions cut text that `JSON.parse` has already accepted, so they validate nothing again.
// Every function terminates on any input.
const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openBracket = 0x5b;
const openBrace = 0x7b;

/**
 * Returns the raw text of a field in the text of a JSON object, or `undefined` if there is none. Of
 * a repeated name the last one counts, as in `JSON.parse`.
 */
export function fieldText(text: string, name: string): string | undefined {
  let at = skipBlanks(text, 0);
  if (text.charCodeAt(at) !== openBrace) return undefined;
  let found: string | undefined;
  do {
    const keyStart = skipBlanks(text, at + 1);
    if (text.charCodeAt(keyStart) !== quote) return found;
    const keyEnd = endOfString(text, keyStart);
    const start = skipBlanks(text, skipBlanks(text, keyEnd) + 1);
    const end = endOfValue(text, start);
    if (isName(text.slice(keyStart, keyEnd), name)) found = text.slice(start, end);
    at = skipBlanks(text, end);
  } while (text.charCodeAt(at) === comma);
  return found;
}

/** Returns the raw texts of the elements of a JSON array, or an empty array for any other input. */
export function elementTexts(text: string): string[] {
  const texts: string[] = [];
  let at = skipBlanks(text, 0);
  if (text.charCodeAt(at) !== openBracket) return texts;
  do {
    const start = skipBlanks(text, at + 1);
    const end = endOfValue(text, start);
    if (end === start) return texts;
    texts.push(text.slice(start, end));
    at = skipBlanks(text, end);
  } while (text.charCodeAt(at) === comma);
  return texts;
}

/** Compares a field name that may contain escapes. */
function isName(literal: string, name: string): boolean {
  if (literal.includes('\\')) return JSON.parse(literal) === name;
  return literal.length === name.length + 2 && literal.startsWith(name, 1);
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (isBlank(text.charCodeAt(at))) at += 1;
  return at;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) return at + 1;
    if (code === backslash) at += 1;
  }
  return text.length;
}

function endOfValue(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      const end = endOfString(text, at);
      if (depth === 0) return end;
      at = end - 1;
    }
    // `[` and `{` differ in one bit, and so do `]` and `}`.
    else if ((code | 0x20) === 0x7b) depth += 1;
    else if ((code | 0x20) === 0x7d) {
      if (depth === 0) return at;
      if (--depth === 0) return at + 1;
    } else if (depth === 0 && (code === comma || isBlank(code))) return at;
  }
  return text.length;
}
