import type { FrameOptions, Sizes, SmallModel, WriteAttention } from './frame.js';
import { smallModel } from './frame.js';

/** A kind of model that is adopted: what it is called, and how it is written. */
export interface Kind {
  readonly name: string;
  /** False: an encoder. */
  readonly causal: boolean;
  /** Hides the padding of texts of unequal length; without, a model is given texts of one length. */
  readonly padded: boolean;
  readonly write: (sizes: Sizes) => SmallModel;
  /** The same in operators that ONNX Runtime's CPU provider has, where it lacks one of `write`. */
  readonly twin?: ((sizes: Sizes) => SmallModel) | undefined;
}

export interface KindOptions extends FrameOptions {
  /** Default true. */
  readonly padded?: boolean;
  readonly twin?: WriteAttention;
}

/** A decoder with a cache. */
export function decoder(
  name: string,
  attention: WriteAttention,
  { padded = true, twin, ...options }: KindOptions = {},
): Kind {
  const write = (one: WriteAttention) => (sizes: Sizes) => smallModel(sizes, options, one);
  return { name, causal: true, padded, write: write(attention), twin: twin && write(twin) };
}

/** A model without a cache that sees both ways. */
export function encoder(...args: Parameters<typeof decoder>): Kind {
  return { ...decoder(...args), causal: false };
}

/** With a change made to the finished model. */
export function after(change: (model: SmallModel) => SmallModel, kind: Kind): Kind {
  return { ...kind, write: (sizes) => change(kind.write(sizes)) };
}

/** For operators whose heads share nothing. */
export const ofEqualHeads = (kind: Kind): Kind =>
  resized(kind, (sizes) => ({ ...sizes, kvHeads: sizes.heads }));

export const ofKeyHeads = (kvHeads: number, kind: Kind): Kind =>
  resized(kind, (sizes) => ({ ...sizes, kvHeads }));

export const ofHeadDim = (headDim: number, kind: Kind): Kind =>
  resized(kind, (sizes) => ({ ...sizes, headDim }));

function resized({ write, twin, ...kind }: Kind, sized: (sizes: Sizes) => Sizes): Kind {
  return {
    ...kind,
    write: (sizes) => write(sized(sizes)),
    twin: twin && ((sizes) => twin(sized(sizes))),
  };
}
