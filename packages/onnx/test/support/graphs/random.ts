/** Numbers from a seed (mulberry32), the same everywhere. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** In [0, 1). */
  uniform(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 to `below - 1`. */
  whole(below: number): number {
    return Math.floor(this.uniform() * below);
  }

  /** `count` numbers in [-amplitude, amplitude). */
  floats(count: number, amplitude = 1): Float32Array {
    return Float32Array.from({ length: count }, () => amplitude * (2 * this.uniform() - 1));
  }
}

/** A seed of its own for everything that has a name (FNV-1a): what comes before it makes no difference. */
export function seedOf(name: string, seed: number): number {
  return [...name].reduce(
    (hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 0x01000193),
    0x811c9dc5 ^ seed,
  );
}
