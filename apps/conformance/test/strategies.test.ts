import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { CONFIGURATIONS } from '../src/configurations.js';
import { STRATEGIES, testStrategies } from '../src/strategies.js';

for (const on of CONFIGURATIONS) testStrategies({ describe, it }, Object.keys(STRATEGIES), on);

it('no strategy package is left out', () => {
  const packages = readdirSync(join(import.meta.dirname, '../../../packages'));
  const strategies = packages.filter((folder) => folder.startsWith('strategy-'));
  expect(Object.keys(STRATEGIES).sort()).toEqual(strategies.sort());
});
