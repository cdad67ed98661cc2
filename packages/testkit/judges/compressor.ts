import {
  type DType,
  type Groups,
  groups,
  inputError,
  type IndexSite,
  type Layer,
  type PoolPart,
  type RotaryOptions,
  type Tensor,
} from '@jit-attention/core';

export interface CompressorOptions {
  /** Tokens an entry. */
  ratio: number;
  /**
   * Names of the auxiliary tensors `[batch, 1, tokens, width]`, twice as wide when overlapping. Gates are the
   * logits of a softmax over the tokens of a group, per channel; a position bias is in them. None: the mean.
   */
  values: string;
  gates?: string | undefined;
  /** An entry takes the first half of the group before and the second half of its own. Default false. */
  overlapping?: boolean | undefined;
  /** Weight of the RMSNorm, `[width]`. */
  norm: Tensor;
  eps: number;
  /** Keep a projection `[out, width]` of the entry in its place, normed again. */
  project?: { weight: Tensor; norm: Tensor } | undefined;
  /** Rope comes last: trailing channels, interleaved pairs, at the group's first token. */
  frequencies: readonly number[];
  dtype?: DType | undefined;
}

/** DeepSeek-V4's compressor: one entry of every full group of tokens. */
export function compressor(site: IndexSite, options: CompressorOptions): Groups {
  const { ratio, values, gates, overlapping, norm, eps, project, frequencies, dtype } = options;
  const width = norm.shape[0];
  return groups(site, {
    inputs: gates ? [values, gates] : [values],
    stride: ratio,
    overlap: overlapping ? ratio : 0,
    dtype,
    make({ ops, inputs, first, count }) {
      const tokens = (start: number, channel: number): PoolPart => ({
        values: inputs[values],
        logits: gates === undefined ? undefined : inputs[gates],
        start,
        length: ratio,
        channels: [channel, channel + width],
      });
      const parts = overlapping ? [tokens(-ratio, 0), tokens(0, width)] : [tokens(0, 0)];
      const kind = gates ? 'softmax' : 'mean';
      const normed = (x: Tensor, weight: Tensor) => ops.norm(x, { kind: 'rms', eps, weight });
      let entries = normed(ops.pool({ kind, parts, stride: ratio, first, count }), norm);
      if (project) entries = normed(ops.linear(entries, project), project.norm);
      return ops.rotary(entries, atFirstToken(ratio, first, entries.shape[3], frequencies));
    },
  });
}

function atFirstToken(
  ratio: number,
  groups: readonly number[],
  width: number,
  frequencies: readonly number[],
): RotaryOptions {
  const first = groups.map((group) => group * ratio);
  const channels = [width - 2 * frequencies.length, width] as const;
  return { frequencies, first, step: ratio, channels, interleaved: true };
}

/** Entries serve all heads, as keys and as values. @throws {InputError} `INVALID_OPTION` for any other layer */
export function assertOneKvHead(name: string, { kvHeads, headDim }: Layer, norm: Tensor): void {
  if (kvHeads !== 1) throw inputError(name, 'kvHeads 1, as entries serve all heads', kvHeads);
  if (headDim !== norm.shape[0])
    throw inputError(name, `headDim ${norm.shape[0]}, the width of its norm`, headDim);
}
