/** How the page runs the model: as transformers.js has loaded it, or adopted. */
export type Host = 'uncut' | 'dense' | 'topk';

/** Where the page finds the model, and ONNX Runtime's WASM. */
export const MODELS = '/models/';
export const MODEL = 'subject';
export const ONNXRUNTIME_FILES = '/onnxruntime/';

/** What the page is asked, one thing at a time. */
export type Question =
  | Opening
  /** To write so many tokens more. */
  | { readonly ask: 'write'; readonly text: number; readonly count: number };

/** A model that is to read a text; loaded once for all texts. */
export interface Opening {
  readonly ask: 'open';
  readonly host: Host;
  /** Token ids. */
  readonly prompt: readonly number[];
  /** Of ONNX Runtime, where it computes on the CPU. */
  readonly threads: number;
  /** Of top-k. */
  readonly budget: number;
  readonly queryBlock: number;
}

/** What a page says of itself when it opens a text, of the tokens that it wrote, or why there are none. */
export interface Answer {
  /** The number of the text that was opened. */
  readonly text?: number;
  readonly adapter?: Adapter;
  readonly written?: Written;
  readonly error?: string;
}

/** What a GPU says of itself. */
export interface Adapter {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  readonly device: string;
}

/** Tokens of greedy decoding, and the median time between two of them. */
export interface Written {
  readonly ids: readonly number[];
  readonly ms: number;
}
