// What the tables of all programs say together.

/** All targets, and all figures that must not be published, each under its benchmark. */
export function summaryOf(text) {
  const lines = ['## Targets', ''];
  let question = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) question = line.replace(/^#+ /, '');
    const target = /^Target: (.*): (met|MISSED) \((.*)\)\.$/.exec(line);
    if (target !== null) lines.push(`- ${target[2]}: ${question}: ${target[1]} (${target[3]})`);
    const unsteady = /^Unsteady: (.*)\.$/.exec(line);
    if (unsteady !== null) lines.push(`- Unsteady: ${question}: ${unsteady[1]}`);
    if (line.includes('INVALID')) lines.push(`- INVALID: ${question}`);
  }
  return `${lines.join('\n')}\n`;
}

/** The lines of a summary for which no page is written. */
export function refusalsOf(summary) {
  return summary.split('\n').filter((line) => /^- (?:INVALID|Unsteady)/.test(line));
}
