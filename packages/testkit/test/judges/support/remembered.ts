/** A formula of a query, computed once. */
export function remembered<T>(
  formula: (row: number, position: number) => T,
): (row: number, position: number) => T {
  const known = new Map<string, T>();
  return (row, position) => {
    const key = `${row},${position}`;
    if (!known.has(key)) known.set(key, formula(row, position));
    return known.get(key)!;
  };
}
