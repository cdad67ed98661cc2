/**
 * WGSL written out for each value of its letters, since what is indexed by a variable does not stay in registers:
 * `unroll({ r: 2 }, 'sum$r = 0.0;')` is `sum0 = 0.0; sum1 = 0.0;`. The last letter counts fastest.
 */
export function unroll(counts: Readonly<Record<string, number>>, text: string): string {
  let lines = [text];
  for (const [letter, count] of Object.entries(counts)) {
    lines = lines.flatMap((line) =>
      Array.from({ length: count }, (_, i) => line.replaceAll(`$${letter}`, String(i))),
    );
  }
  return lines.join('\n');
}

/** `fold('max', 3, 'x$i')` is `max(max(x0, x1), x2)`. */
export function fold(operation: 'max', count: number, text: string): string {
  const terms = Array.from({ length: count }, (_, i) => text.replaceAll('$i', String(i)));
  return terms.reduce((all, term) => `${operation}(${all}, ${term})`);
}
