import type { IndexSite } from '../strategy.js';
import { type Groups, groups } from './groups.js';

/**
 * The elementwise smallest and largest key of every page of the cache, the page being filled included: what the
 * score `bounds` takes as its `min` and `max`.
 */
export function pageBounds(site: IndexSite): { min: Groups; max: Groups } {
  const { pageSize } = site.layer;
  const bound = (kind: 'min' | 'max'): Groups =>
    groups(site, {
      inputs: ['keys'],
      stride: pageSize,
      partial: true,
      make: ({ pool }) => pool(kind),
    });
  return { min: bound('min'), max: bound('max') };
}
