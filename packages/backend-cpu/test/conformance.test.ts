import { testBackend, tolerances } from '@jit-attention/testkit';
import { describe, it } from 'vitest';

import { cpu } from '../src/index.js';
import { CONFIGURATIONS, named } from './support/backends.js';

/** The first configuration is tried on as many cases as the environment asks for, the others on 50. */
const OTHERS = 50;

for (const [i, options] of CONFIGURATIONS.entries()) {
  const factory = () => cpu(options);
  const suite = { name: named(options), factory, tolerance: tolerances.cpu };
  testBackend({ describe, it }, i === 0 ? suite : { ...suite, cases: OTHERS });
}
