/** The flags of WebGPU's `GPUBufferUsage` and `GPUMapMode`, which Node has no global for. */
export const MAP_READ = 0x1;
export const COPY_SRC = 0x4;
export const COPY_DST = 0x8;
export const STORAGE = 0x80;
