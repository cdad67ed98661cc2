import { mean, min, sum } from 'simple-statistics';

import type { Device } from './backends.js';
import { isDense } from './candidates/built-in.js';
import { type Candidate, labelOf } from './candidates/candidate.js';
import type { Measurement } from './measure/layer.js';

/** Measurements on one device with one length of context. */
export interface Group {
  readonly device: Device;
  readonly tokens: number;
  readonly measurements: readonly Measurement[];
}

/** One strategy at one budget over all layers; where a layer failed, over the others. */
export interface Summary {
  readonly candidate: Candidate;
  readonly layers: readonly Measurement[];
  readonly density: number | undefined;
  /** All layers together. */
  readonly ms: number | undefined;
  /** Times as fast as dense attention in the same layers. */
  readonly speedUp: number | undefined;
  readonly recallMean: number | undefined;
  /** Of the layer that is served worst. */
  readonly recallP5: number | undefined;
  readonly outputError: number | undefined;
  /** All layers together. */
  readonly bytesRead: number | undefined;
  readonly error: string | undefined;
}

/** A summary of each strategy and budget, in the order they were measured. */
export function summariesOf({ measurements }: Group): Summary[] {
  const labels = [...new Set(measurements.map(({ candidate }) => labelOf(candidate)))];
  const rows = labels.map((label) =>
    measurements.filter((one) => labelOf(one.candidate) === label),
  );
  const dense = measurements.filter(({ candidate }) => isDense(candidate));
  return rows.map((layers) => summarise(layers, dense));
}

function summarise(layers: readonly Measurement[], dense: readonly Measurement[]): Summary {
  const values = (of: (one: Measurement) => number | undefined): number[] =>
    layers.map(of).filter((value) => value !== undefined);
  const timed = layers.filter(({ timing }) => timing);
  const denseTimes = timed.map((one) =>
    msOf(dense.find(({ input }) => input.layer === one.input.layer)),
  );
  const ms = known(timed.map(msOf), sum);
  return {
    candidate: layers[0].candidate,
    layers,
    density: known(
      values(({ quality }) => quality?.density),
      mean,
    ),
    ms,
    speedUp: ms && known(denseTimes, sum)! / ms,
    recallMean: known(
      values(({ quality }) => quality?.recall?.mean),
      mean,
    ),
    recallP5: known(
      values(({ quality }) => quality?.recall?.p5),
      min,
    ),
    outputError: known(
      values(({ quality }) => quality?.outputError),
      mean,
    ),
    bytesRead: known(
      values(({ quality }) => quality?.bytesRead),
      sum,
    ),
    error: layers.find(({ error }) => error !== undefined)?.error,
  };
}

const msOf = (measurement: Measurement | undefined): number => measurement?.timing?.ms ?? NaN;

/** Undefined where nothing is known. */
function known(values: readonly number[], of: (values: number[]) => number): number | undefined {
  return values.length === 0 ? undefined : of([...values]);
}
