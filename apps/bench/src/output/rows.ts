import type { Measurement } from '../measure/layer.js';
import { queriesIn } from '../measure/runs.js';
import type { Metrics, ResultRow } from './results.js';

/** A measurement as a row of the results. */
export function rowOf(measurement: Measurement): ResultRow {
  const { candidate, device, input, runs, error } = measurement;
  const { heads, kvHeads, headDim, tokens } = input.config;
  const name = `layer.${input.layer}`;
  return {
    suite: 'overview',
    case: candidate.variant === undefined ? name : `${name} ${candidate.variant}`,
    implementation: 'jit-attention',
    strategy: candidate.strategy,
    backend: device.name,
    threads: device.threads,
    tokens,
    queries: queriesIn(runs),
    heads,
    kvHeads,
    headDim,
    budget: candidate.budget ?? null,
    metrics: metricsOf(measurement),
    ...(error !== undefined && { error }),
  };
}

function metricsOf({ quality, timing }: Measurement): Metrics {
  return {
    ms: timing?.ms ?? null,
    gflops: timing && quality ? quality.flops / timing.ms / 1e6 : null,
    density: quality?.density ?? null,
    recallMean: quality?.recall?.mean ?? null,
    recallP5: quality?.recall?.p5 ?? null,
    outputError: quality?.outputError ?? null,
    bytesRead: quality?.bytesRead ?? null,
  };
}
