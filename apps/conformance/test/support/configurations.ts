import { webgpu } from '@jit-attention/backend-webgpu';
import { cases } from '@jit-attention/testkit';
import { hasAdapter } from '@jit-attention/testkit/exams/adapter';

import { type Configuration, configuration, ON_CPU } from '../../src/configurations.js';

const ON_WEBGPU = (await hasAdapter(webgpu)) ? [configuration('webgpu', cases())] : [];

/** The backends of this machine: without an adapter, which CI must have, the CPU backend alone. */
export const CONFIGURATIONS: readonly Configuration[] = [...ON_CPU, ...ON_WEBGPU];
