import { areFinite } from '../gather';
import { pointer } from '../layout';
import { paddedOf, VALUES } from './descriptor';
import { descOf, FINITE, KEY_ROWS, VALUE_ROWS } from './frame';

/** The addresses of the tile's values. */
export function valueRowsOf(frame: usize): usize {
  return pointer(frame, pointer(descOf(frame), VALUES) === 0 ? KEY_ROWS : VALUE_ROWS);
}

/**
 * Whether all values of the tile are finite; looked up once a tile, and only where something is hidden: that must not
 * be touched, and a weight of 0 does not make Infinity go away.
 */
export function tileIsFinite(frame: usize, count: i32): bool {
  const known = frame + (FINITE << 2);
  if (load<i32>(known) === 0) {
    const finite = areFinite(valueRowsOf(frame), count, paddedOf(descOf(frame)));
    store<i32>(known, finite ? 1 : 2);
  }
  return load<i32>(known) === 1;
}
