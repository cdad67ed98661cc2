import { type AuditReport, type Stats, summarise } from '@jit-attention/core';

import type { LayerReport } from '../model.js';

type Counted = Pick<Stats, 'entriesRead' | 'entriesVisible' | 'flops' | 'bytesRead'>;

/** What a layer has read and missed since the last report. */
export class Counts {
  ms = 0;
  readonly #sums: Counted = { entriesRead: 0, entriesVisible: 0, flops: 0, bytesRead: 0 };
  readonly #recalls: number[] = [];
  #difference = 0;
  #full = 0;
  /** Settled when all counters have come back; what a listener of an audit threw comes out here. */
  #reading: Promise<unknown> = Promise.resolve();

  /** Adds a call's counters when they come back, which nobody waits for. */
  add(stats: Promise<Stats>): void {
    const added = stats.then((one) => {
      for (const name of Object.keys(this.#sums) as (keyof Counted)[])
        this.#sums[name] += one[name];
    });
    this.#reading = Promise.all([this.#reading, added]);
    this.#reading.catch(() => undefined);
  }

  audited({ recalls, squares }: AuditReport): void {
    for (const heads of recalls) this.#recalls.push(...heads);
    this.#difference += squares.difference;
    this.#full += squares.full;
  }

  async report(): Promise<Partial<Omit<LayerReport, 'strategy'>> & { ms: number }> {
    await this.#reading;
    const { entriesRead, entriesVisible } = this.#sums;
    if (entriesVisible === 0) return { ms: this.ms };
    const density = entriesRead / entriesVisible;
    return { ms: this.ms, density, ...this.#sums, ...this.#audits() };
  }

  #audits(): Pick<LayerReport, 'recall' | 'outputError'> {
    if (this.#recalls.length === 0) return {};
    const outputError = this.#difference === 0 ? 0 : Math.sqrt(this.#difference / this.#full);
    return { recall: summarise(this.#recalls), outputError };
  }
}
