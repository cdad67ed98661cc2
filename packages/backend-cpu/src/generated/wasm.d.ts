/** The kernels, `assembly/` compiled with relaxed SIMD and without, as base64. */
export declare const relaxed: string;
export declare const simd128: string;
/** Of the sources that this was made from. */
export declare const fingerprint: string;
