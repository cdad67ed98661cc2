import type { FrameOptions, Sizes, SmallModel, WriteAttention } from './frame.js';
import { smallModel } from './frame.js';

/** A kind of model that is adopted: what it is called, and how it is written. */
export interface Kind {
  readonly name: string;
  /** False: an encoder. */
  readonly causal: boolean;
  readonly write: (sizes: Sizes) => SmallModel;
  /** The same in operators that ONNX Runtime's CPU provider has, where it lacks one of `write`. */
  readonly twin?: ((sizes: Sizes) => SmallModel) | undefined;
}

/** A decoder with a cache. */
export function decoder(
  name: string,
  attention: WriteAttention,
  options: FrameOptions = {},
  twin?: WriteAttention,
): Kind {
  const write = (one: WriteAttention) => (sizes: Sizes) => smallModel(sizes, options, one);
  return { name, causal: true, write: write(attention), twin: twin && write(twin) };
}

/** A model without a cache that sees both ways. */
export function encoder(...args: Parameters<typeof decoder>): Kind {
  return { ...decoder(...args), causal: false };
}

/** For operators whose heads share nothing. */
export const ofEqualHeads = (kind: Kind): Kind =>
  resized(kind, (sizes) => ({ ...sizes, kvHeads: sizes.heads }));

export const ofHeadDim = (headDim: number, kind: Kind): Kind =>
  resized(kind, (sizes) => ({ ...sizes, headDim }));

function resized({ write, twin, ...kind }: Kind, sized: (sizes: Sizes) => Sizes): Kind {
  return {
    ...kind,
    write: (sizes) => write(sized(sizes)),
    twin: twin && ((sizes) => twin(sized(sizes))),
  };
}
