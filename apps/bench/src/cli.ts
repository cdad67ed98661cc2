#!/usr/bin/env node
/**
 * The command `jit-attention-bench`.
 *
 * @packageDocumentation
 */
import { main } from './program.js';

process.exitCode = await main(process.argv.slice(2));
