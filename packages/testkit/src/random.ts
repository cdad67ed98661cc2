/** Uniform numbers in [0, 1), the same for the same seed and name (mulberry32, seeded by an FNV-1a hash). */
export function uniform(seed: number, name: string): () => number {
  let state = seed ^ 0x811c9dc5;
  for (const letter of name) state = Math.imul(state ^ letter.charCodeAt(0), 0x01000193);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Standard normal numbers (Box and Muller). */
export function normals(count: number, next: () => number): Float32Array {
  const numbers = new Float32Array(count + 1);
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - next()));
    const angle = 2 * Math.PI * next();
    numbers[i] = radius * Math.cos(angle);
    numbers[i + 1] = radius * Math.sin(angle);
  }
  return numbers.subarray(0, count);
}

/** Whole numbers `[min, max]`: few of them, so that scores tie, and exact in every order of summation. */
export function wholes(
  count: number,
  next: () => number,
  [min, max]: readonly [min: number, max: number] = [-2, 2],
): Float32Array {
  const numbers = new Float32Array(count);
  for (let i = 0; i < count; i++) numbers[i] = min + Math.floor(next() * (max - min + 1));
  return numbers;
}

/** The numbers 0 … count - 1 in random order (Fisher and Yates). */
export function shuffled(count: number, next: () => number): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
