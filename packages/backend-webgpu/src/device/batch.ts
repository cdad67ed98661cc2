import type { Storage } from '../storage.js';
import type { Pipeline } from './pipelines.js';
import type { BufferPool } from './pool.js';
import { type Desks, Words } from './words.js';

export type Command =
  | {
      readonly kind: 'dispatch';
      readonly name: string;
      readonly pipeline: Pipeline;
      /** Words first. */
      readonly buffers: readonly Storage[];
      readonly workgroups: readonly [x: number, y: number];
    }
  | { readonly kind: 'copy'; readonly from: Storage; readonly to: Storage; readonly bytes: number }
  | { readonly kind: 'clear'; readonly at: Storage };

/** What goes to the device in one submission. */
export class Batch {
  readonly words: Words;
  readonly commands: Command[] = [];
  readonly #pool: BufferPool;
  readonly #released: GPUBuffer[] = [];

  constructor(pool: BufferPool, desks: Desks, alignment: number) {
    this.#pool = pool;
    this.words = new Words(pool, desks, alignment);
  }

  get isEmpty(): boolean {
    return this.commands.length === 0 && this.#released.length === 0;
  }

  /** The kernels that are still being compiled. */
  get compiling(): Promise<void>[] {
    return this.commands.flatMap((command) =>
      command.kind === 'dispatch' && !command.pipeline.compiled ? [command.pipeline.ready] : [],
    );
  }

  /** The buffer is free once this batch, which may use it, has been submitted. */
  releaseLater(buffer: GPUBuffer): void {
    this.#released.push(buffer);
  }

  encode(device: GPUDevice): GPUCommandBuffer {
    const encoder = device.createCommandEncoder();
    let pass: GPUComputePassEncoder | undefined;
    for (const command of this.commands) {
      if (command.kind === 'dispatch') {
        pass ??= encoder.beginComputePass();
        dispatch(device, pass, command);
        continue;
      }
      pass?.end();
      pass = undefined;
      if (command.kind === 'clear') {
        encoder.clearBuffer(command.at.buffer, command.at.offset, command.at.bytes);
      } else {
        const { from, to, bytes } = command;
        encoder.copyBufferToBuffer(from.buffer, from.offset, to.buffer, to.offset, bytes);
      }
    }
    pass?.end();
    return encoder.finish();
  }

  /** Submitted or given up: all that it used may be used anew, in the order of the device's queue. */
  release(): void {
    this.words.release();
    for (const buffer of this.#released) this.#pool.give(buffer);
    this.#released.length = 0;
    this.commands.length = 0;
  }
}

function dispatch(
  device: GPUDevice,
  pass: GPUComputePassEncoder,
  { name, pipeline, buffers, workgroups }: Extract<Command, { kind: 'dispatch' }>,
): void {
  const entries = buffers.map(({ buffer, offset, bytes }, binding) => ({
    binding,
    // An empty one still has room for an element of any type.
    resource: { buffer, offset, size: bytes || 16 },
  }));
  pass.setPipeline(pipeline.compiled!);
  pass.setBindGroup(0, device.createBindGroup({ label: name, layout: pipeline.layout, entries }));
  pass.dispatchWorkgroups(...workgroups);
}
