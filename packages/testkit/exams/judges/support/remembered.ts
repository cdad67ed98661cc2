/** A formula of a place (row, kv head, position), computed once. */
export function remembered<A extends readonly number[], T>(
  formula: (...place: A) => T,
): (...place: A) => T {
  const known = new Map<string, T>();
  return (...place) => {
    const key = place.join();
    if (!known.has(key)) known.set(key, formula(...place));
    return known.get(key)!;
  };
}
