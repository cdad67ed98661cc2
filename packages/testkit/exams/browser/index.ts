/** Tests in a browser of the machine, on a page bundled by Vite. Not published. */
export * from './chromium.js';
export * from './examine.js';
export { bundle, serve, type Site } from './serve.js';
