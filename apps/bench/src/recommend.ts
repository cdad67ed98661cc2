import { DENSE, isDense } from './candidates/built-in.js';
import type { BackendEntry } from './backends.js';
import { type Candidate, type Import, labelOf } from './candidates/candidate.js';
import { factor, percent, share } from './format.js';
import type { Measurement } from './measure/layer.js';
import type { Quality, Recall } from './measure/quality.js';
import type { Timing } from './measure/time.js';
import type { AttentionConfig } from './model/index.js';

/** The least recall, at the 5th percentile, that a recommended strategy has. */
export const MIN_RECALL_P5 = 0.95;

/** What to run on one layer. */
export interface Recommendation {
  readonly layer: number;
  /** Dense attention where nothing else is good enough. */
  readonly candidate: Candidate;
  /** What speaks for it, in a few words. */
  readonly reason: string;
}

/**
 * For each layer the candidate that reads the fewest bytes, and among those the fastest, of all that read fewer than
 * dense attention, are faster, and have a recall of at least {@link MIN_RECALL_P5} at the 5th percentile.
 */
export function recommend(measurements: readonly Measurement[]): Recommendation[] {
  const layers = [...new Set(measurements.map(({ input }) => input.layer))];
  return layers.map((layer) => ({
    layer,
    ...best(measurements.filter(({ input }) => input.layer === layer)),
  }));
}

function best(measurements: readonly Measurement[]): Omit<Recommendation, 'layer'> {
  const complete = measurements.filter(isComplete).sort(byCost);
  const dense = complete.find(({ candidate }) => isDense(candidate));
  const cheaper = dense ? complete.filter((one) => readsLess(one, dense)) : [];
  const good = cheaper.filter(({ quality }) => quality.recall.p5 >= MIN_RECALL_P5);
  const found = good.find((one) => isFaster(one, dense!));
  if (!found) return { candidate: DENSE.at(undefined), reason: nearMiss(cheaper, good, dense) };
  const { density, recall } = found.quality;
  const reason = `reads ${percent(density)}, recall p5 ${share(recall.p5)}`;
  return { candidate: found.candidate, reason };
}

/** A measurement that has all it takes to be compared. */
type Complete = Measurement & { quality: Quality & { recall: Recall }; timing: Timing };

function isComplete(one: Measurement): one is Complete {
  const { error, quality, timing } = one;
  return error === undefined && quality?.recall !== undefined && timing !== undefined;
}

function byCost(a: Complete, b: Complete): number {
  return a.quality.bytesRead - b.quality.bytesRead || a.timing.ms - b.timing.ms;
}

/** Who reads everything is dense attention, under whatever name. */
function readsLess({ quality }: Complete, dense: Complete): boolean {
  return quality.density < 1 && quality.bytesRead < dense.quality.bytesRead;
}

function isFaster({ timing }: Complete, dense: Complete): boolean {
  return timing.ms < dense.timing.ms;
}

/** Why dense attention: what reads less misses too much, or takes longer. */
function nearMiss(
  cheaper: readonly Complete[],
  good: readonly Complete[],
  dense: Complete | undefined,
): string {
  if (dense && good.length > 0) {
    const [fastest] = [...good].sort((a, b) => a.timing.ms - b.timing.ms);
    const times = factor(fastest.timing.ms / dense.timing.ms);
    return `nothing good enough is faster; ${labelOf(fastest.candidate)} takes ${times} the time`;
  }
  const reason = `nothing cheaper has a recall p5 of ${MIN_RECALL_P5}`;
  const [nearest] = [...cheaper].sort((a, b) => b.quality.recall.p5 - a.quality.recall.p5);
  if (!nearest) return reason;
  return `${reason}; ${labelOf(nearest.candidate)} has ${share(nearest.quality.recall.p5)}`;
}

/** The recommendation as TypeScript to paste. */
export function codeOf(
  recommendations: readonly Recommendation[],
  layer: LayerSizes,
  backend: BackendEntry,
): string {
  const codes = recommendations.map(({ candidate }) => candidate.code);
  const imports = [
    { name: 'createAttention', from: '@jit-attention/core' },
    { name: backend.factory, from: backend.package },
    ...codes.map((code) => code.imports),
  ];
  const width = Math.max(...codes.map(({ expression }) => expression.length)) + 1;
  const strategies = recommendations.map(
    (one, i) => `  ${`${codes[i].expression},`.padEnd(width)} // layer ${one.layer}: ${one.reason}`,
  );
  return `${importStatements(imports)}

const strategies = [
${strategies.join('\n')}
];
const backend = ${backend.isAsync ? 'await ' : ''}${backend.factory}();
const layers = strategies.map((strategy) =>
  createAttention({ backend, strategy, ${sizesOf(layer)} }),
);
`;
}

type LayerSizes = Pick<AttentionConfig, 'heads' | 'kvHeads' | 'headDim' | 'valueDim' | 'scale'>;

/** One statement a module. */
function importStatements(imports: readonly Import[]): string {
  const modules = [...new Set(imports.map(({ from }) => from))];
  return modules
    .map((module) => {
      const own = imports.filter(({ from }) => from === module);
      const names = [...new Set(own.map(({ name }) => name))].join(', ');
      return `import ${own[0].isDefault ? names : `{ ${names} }`} from '${module}';`;
    })
    .join('\n');
}

/** Fields that have their default value are left out. */
function sizesOf({ heads, kvHeads, headDim, valueDim, scale }: LayerSizes): string {
  return [
    `heads: ${heads}`,
    ...(kvHeads === heads ? [] : [`kvHeads: ${kvHeads}`]),
    `headDim: ${headDim}`,
    ...(valueDim === headDim ? [] : [`valueDim: ${valueDim}`]),
    ...(Math.abs(scale * headDim ** 0.5 - 1) < 1e-6 ? [] : [`scale: ${scale}`]),
  ].join(', ');
}
