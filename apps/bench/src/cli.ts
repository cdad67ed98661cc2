#!/usr/bin/env node
/**
 * The command `jit-attention-bench`.
 *
 * @packageDocumentation
 */
console.log('jit-attention-bench');
