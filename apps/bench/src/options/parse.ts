import { inputError } from '@jit-attention/core';

/** A parser of one option's text, in the form that commander takes. */
export type Parse<T> = (text: string) => T;

/** A whole number from `min`, for example `--seed 7`. */
export function whole(option: string, min: number): Parse<number> {
  return (text) => {
    const value = /^\d+$/.test(text.trim()) ? Number(text) : NaN;
    if (Number.isSafeInteger(value) && value >= min) return value;
    throw inputError(option, `a whole number from ${min}`, text);
  };
}

/** Whole numbers from `min` with commas between them, for example `--tokens 1024,4096`; each counts once. */
export function wholes(option: string, min: number): Parse<number[]> {
  return (text) => {
    const parts = words(option)(text);
    const values = parts.map((part) => (/^\d+$/.test(part) ? Number(part) : NaN));
    const wrong = values.findIndex((value) => !(Number.isSafeInteger(value) && value >= min));
    if (wrong < 0) return [...new Set(values)];
    throw inputError(option, `whole numbers from ${min} with commas between them`, parts[wrong], {
      hint: `for example ${option} ${min + 1},${min + 2}`,
    });
  };
}

/** Words with commas between them, for example `--backend reference,cpu`; each counts once. */
export function words(option: string): Parse<string[]> {
  return (text) => {
    const parts = text.split(',').map((part) => part.trim());
    if (parts.every((part) => part !== '')) return [...new Set(parts)];
    throw inputError(option, 'a list with commas between its items', text);
  };
}
