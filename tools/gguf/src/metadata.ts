import type { MetadataValue } from '@huggingface/gguf';

import { invalid } from './errors.js';

/** The key-value pairs of a GGUF file, by their type. A getter without a fallback wants the key to be there. */
export class Metadata {
  readonly #path: string;
  readonly #values: Readonly<Record<string, MetadataValue>>;

  constructor(path: string, values: Readonly<Record<string, MetadataValue>>) {
    this.#path = path;
    this.#values = values;
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#values, key);
  }

  number(key: string, fallback?: number): number {
    return this.#get(key, 'a number', isNumber, fallback);
  }

  string(key: string, fallback?: string): string {
    return this.#get(key, 'a string', isString, fallback);
  }

  boolean(key: string, fallback?: boolean): boolean {
    return this.#get(key, 'true or false', isBoolean, fallback);
  }

  numbers(key: string): number[] {
    return this.#get(key, 'numbers', listOf(isNumber));
  }

  strings(key: string): string[] {
    return this.#get(key, 'strings', listOf(isString));
  }

  #get<T>(key: string, what: string, is: (value: unknown) => value is T, fallback?: T): T {
    const value = this.has(key) ? plain(this.#values[key]) : fallback;
    if (is(value)) return value;
    const came = value === undefined ? 'is not there' : `is ${typeof value}`;
    throw invalid(
      `${this.#path}: expected ${what} under the key ${key}, which ${came}`,
      'convert the model to GGUF anew with a current llama.cpp',
    );
  }
}

/** 64-bit numbers come as bigint. */
function plain(value: MetadataValue): MetadataValue {
  return typeof value === 'bigint' ? Number(value) : value;
}

const isNumber = (value: unknown): value is number => typeof value === 'number';
const isString = (value: unknown): value is string => typeof value === 'string';
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';

function listOf<T>(is: (value: unknown) => value is T) {
  return (value: unknown): value is T[] => Array.isArray(value) && value.every(is);
}
