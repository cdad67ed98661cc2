import fc from 'fast-check';

export const seeds: fc.Arbitrary<number> = fc.noShrink(fc.nat(1e6));

export const whole = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });
export const upTo = (max: number): fc.Arbitrary<number> => whole(1, max);
