/** Just-in-time attention inside transformers.js. */
export {};
