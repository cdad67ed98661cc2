/** The program of a worker, `worker/worker.ts`, as a classic script. */
export declare const source: string;
/** Of the sources that this was made from. */
export declare const fingerprint: string;
