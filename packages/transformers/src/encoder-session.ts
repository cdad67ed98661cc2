import type { RuntimeFeeds, RuntimeSession } from '@jit-attention/onnx';

import { type Parts, StandIn } from './stand-in.js';

/** Stands in for the session of an encoder: nothing is kept between calls. */
export class EncoderSession extends StandIn {
  constructor(original: RuntimeSession, parts: Parts) {
    super(parts, { inputs: original.inputMetadata, outputs: parts.model.outputs });
  }

  protected override async answer(feeds: RuntimeFeeds): Promise<RuntimeFeeds> {
    return (await this.model.forward(feeds)).outputs;
  }
}
