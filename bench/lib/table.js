/**
 * A table as Markdown.
 *
 * @param {readonly string[]} head a column that starts with `>` is right-aligned
 * @param {readonly (readonly string[])[]} rows
 */
export function table(head, rows) {
  const right = head.map((name) => name.startsWith('>'));
  const all = [head.map((name) => name.replace(/^>/, '')), ...rows];
  const widths = head.map((_, column) => Math.max(3, ...all.map((row) => row[column].length)));
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const padded = all.map((row) =>
    line(row.map((cell, i) => (right[i] ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))),
  );
  const rule = line(widths.map((width, i) => (right[i] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width))));
  return [padded[0], rule, ...padded.slice(1)].join('\n');
}

/** A number with as many digits as are meaningful. */
export function short(value) {
  if (!Number.isFinite(value)) return '–';
  return value.toFixed(Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0);
}

export function percent(share) {
  if (!Number.isFinite(share)) return '–';
  return `±${(share * 100).toFixed(0)} %`;
}
