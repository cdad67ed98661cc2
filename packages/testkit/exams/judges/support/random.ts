/** Numbers in [0, 1) from a 32-bit seed (mulberry32); the same seed gives the same numbers everywhere. */
export function uniform(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A generator for one named purpose of a case, so that inputs do not depend on the order they are made in. */
export function uniformFor(seed: number, purpose: string): () => number {
  let hash = seed;
  for (const character of purpose) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  return uniform(hash);
}

/** Standard normal numbers (Box-Muller), rounded to f32. */
export function normals(count: number, next: () => number): Float32Array {
  return Float32Array.from({ length: count }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - next()));
    return radius * Math.cos(2 * Math.PI * next());
  });
}
