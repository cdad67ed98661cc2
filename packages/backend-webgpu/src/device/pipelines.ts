import { failed } from '../failure.js';
import type { Kernel } from './kernel.js';

/** A kernel made ready for the device. */
export interface Pipeline {
  readonly layout: GPUBindGroupLayout;
  /** Absent until it is compiled. */
  compiled: GPUComputePipeline | undefined;
  readonly ready: Promise<void>;
}

const COMPUTE = 0x4;

/** Of the devices that are still in use. */
const ofDevices = new WeakMap<GPUDevice, Pipelines>();

/** Kernels compiled once for a device, in the background; all backends of the device share them. */
export class Pipelines {
  readonly #device: GPUDevice;
  readonly #known = new Map<string, Pipeline>();

  private constructor(device: GPUDevice) {
    this.#device = device;
  }

  static of(device: GPUDevice): Pipelines {
    const pipelines = ofDevices.get(device) ?? new Pipelines(device);
    ofDevices.set(device, pipelines);
    return pipelines;
  }

  of(kernel: Kernel): Pipeline {
    let pipeline = this.#known.get(kernel.source);
    if (!pipeline) {
      pipeline = this.#make(kernel);
      this.#known.set(kernel.source, pipeline);
    }
    return pipeline;
  }

  #make(kernel: Kernel): Pipeline {
    const layout = this.#layoutOf(kernel);
    const compiling = this.#compile(kernel, layout);
    const pipeline: Pipeline = {
      layout,
      compiled: undefined,
      ready: compiling.then((compiled) => void (pipeline.compiled = compiled)),
    };
    // Whoever waits for it is told; nobody may.
    pipeline.ready.catch(() => undefined);
    return pipeline;
  }

  #layoutOf({ name, accesses }: Kernel): GPUBindGroupLayout {
    const types: GPUBufferBindingType[] = [
      'read-only-storage',
      ...accesses.map((access) => (access === 'read' ? 'read-only-storage' : 'storage')),
    ];
    return this.#device.createBindGroupLayout({
      label: name,
      entries: types.map((type, binding) => ({
        binding,
        visibility: COMPUTE,
        buffer: { type },
      })),
    });
  }

  async #compile(
    { name, source }: Kernel,
    layout: GPUBindGroupLayout,
  ): Promise<GPUComputePipeline> {
    // Its own scope: what it reports belongs to no submission.
    this.#device.pushErrorScope('validation');
    const module = this.#device.createShaderModule({ label: name, code: source });
    const compiling = this.#device.createComputePipelineAsync({
      label: name,
      layout: this.#device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: 'main' },
    });
    const invalid = this.#device.popErrorScope();
    try {
      const compiled = await compiling;
      await invalid;
      return compiled;
    } catch (cause) {
      const { messages } = await module.getCompilationInfo();
      const lines = messages.map(({ lineNum, message }) => `  line ${lineNum}: ${message}`);
      const report = [`kernel ${name} does not compile`, ...lines].join('\n');
      throw failed(report, { cause, hint: 'please report it with the name of the adapter' });
    }
  }
}
