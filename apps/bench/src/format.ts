/** How numbers are shown, in the terminal and in the report alike. A dash: not measured. */

export function percent(share: number | undefined): string {
  return share === undefined ? '–' : `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;
}

/** Three significant digits, and no more decimals than a glance takes in. */
export function milliseconds(ms: number | undefined): string {
  if (ms === undefined) return '–';
  return `${ms >= 100 ? Math.round(ms).toLocaleString('en') : ms.toPrecision(3)} ms`;
}

export function factor(value: number | undefined): string {
  return value === undefined ? '–' : `${value >= 9.95 ? value.toFixed(0) : value.toFixed(1)}×`;
}

export function share(value: number | undefined): string {
  return value === undefined ? '–' : value.toFixed(3);
}

export function count(value: number | undefined): string {
  return value === undefined ? 'all' : value.toLocaleString('en');
}

/** Bytes in powers of 1,024. */
export function bytes(value: number | undefined): string {
  if (value === undefined) return '–';
  const power = Math.min(4, Math.floor(Math.log2(Math.max(1, value)) / 10));
  return `${(value / 1024 ** power).toFixed(power > 0 ? 1 : 0)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`;
}

/** `1 thread`, `2 threads`. */
export function plural(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}
