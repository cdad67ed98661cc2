import type { NodeProto } from 'onnx-buf';

import type { Refusal } from '../site.js';

/** Thrown while a node is described, caught by its matcher: descriptions read as if all were supported. */
export class Refused extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.found);
    this.refusal = refusal;
  }
}

export function refuse(node: NodeProto, found: string, supported: string): never {
  throw new Refused({ node, found, supported });
}

/** What `describe` gives, or the refusal that it throws. */
export function orRefusal<T>(describe: () => T): T | Refusal {
  try {
    return describe();
  } catch (error) {
    if (error instanceof Refused) return error.refusal;
    throw error;
  }
}
