import { type Figure, Rows } from '../race/case.js';
import type { Measured } from '../terminal/suite.js';
import type { Quality } from './quality.js';
import type { Found } from './retrieval.js';
import { type Estimate, wilson } from './statistics.js';
import { nameOf, TENTH } from './variants.js';

/** All figures of a run. */
export function figuresOf({
  qualities,
  speeds,
}: {
  readonly qualities: readonly Quality[];
  readonly speeds: readonly Measured[];
}): Figure[] {
  const ofSpeed = speeds.flatMap((one) => one.case.figures(new Rows(one.rows)));
  return [...qualityFigures(qualities), ...ofSpeed];
}

/** Codes found at all depths together, or in several rows. */
export interface Pooled {
  readonly found: number;
  readonly cases: number;
  readonly share: Estimate;
}

export function pooled(needles: readonly Found[]): Pooled {
  const found = needles.reduce((sum, one) => sum + one.found, 0);
  const cases = needles.reduce((sum, one) => sum + one.cases, 0);
  return { found, cases, share: wilson(found, cases) };
}

/** What is expected with a budget of a tenth of the context: the window loses the codes, top-k keeps what dense has. */
export function qualityFigures(qualities: readonly Quality[]): Figure[] {
  const names = [...new Set(qualities.filter(isTenth).map(({ variant }) => nameOf(variant)))];
  return names.flatMap((name) => {
    const rows = qualities.filter((one) => isTenth(one) && nameOf(one.variant) === name);
    const isWindow = rows[0].variant.family.name === 'windowed';
    return [
      ...retrievalFigures(name, rows, { qualities, isWindow }),
      ...changeFigures(name, rows, isWindow),
    ];
  });
}

interface Beside {
  readonly qualities: readonly Quality[];
  readonly isWindow: boolean;
}

/** Dense attention's are those of the same contexts. */
function retrievalFigures(
  name: string,
  rows: readonly Quality[],
  { qualities, isWindow }: Beside,
): Figure[] {
  const dense = qualities.filter(
    ({ variant, tokens }) =>
      variant.budget === undefined && rows.some((row) => row.tokens === tokens),
  );
  const all = retrievalOf(dense);
  if (!all) return [];
  const target = isWindow ? { atMost: 0.5 } : { atLeast: 0.98 };
  const what = `${name}, a tenth: codes found, of ${all.found} that dense attention finds`;
  return [{ what, value: shareOf(retrievalOf(rows), all), unit: 'share', ...target }];
}

/** Of the context where it is largest. */
function changeFigures(name: string, rows: readonly Quality[], isWindow: boolean): Figure[] {
  const changes = rows.flatMap(({ perplexity }) => perplexity?.change.value ?? []);
  if (changes.length === 0) return [];
  const what = `${name}, a tenth: perplexity more than dense attention's, at the worst context`;
  return [
    { what, value: Math.max(...changes), unit: 'share', ...(isWindow ? {} : { atMost: 0.01 }) },
  ];
}

/** Undefined where a row failed, or nothing was asked. */
function retrievalOf(rows: readonly Quality[]): Pooled | undefined {
  if (rows.length === 0 || rows.some(({ needles }) => needles === undefined)) return undefined;
  return pooled(rows.flatMap(({ needles }) => needles!));
}

function shareOf(one: Pooled | undefined, dense: Pooled): number | undefined {
  if (!one || dense.found === 0) return undefined;
  return one.found / dense.found;
}

const isTenth = ({ variant }: Quality): boolean => variant.budget === TENTH;
