import { type Inputs, matrix } from './inputs.js';
import { headsOf, type Place, type Problem } from './problem.js';
import { best, clear, span, sum } from './straight.js';

type Reader = Pick<Place, 'row' | 'kvHead' | 'position'>;

/** Budget that makes room for the forced pages and `extra` others; the last page of it is not filled. */
export function pageBudget({ pageSize }: Problem, sinks: number, extra: number): number {
  return pageSize * (Math.ceil(sinks / pageSize) + extra) + 1;
}

/**
 * The entries that Quest reads of the first `visible` (causal unless told): the pages with the best bounds, the
 * sinks' and the query's own in any case.
 */
export function pagesRead(
  problem: Problem,
  inputs: Inputs,
  { row, kvHead, position }: Reader,
  { budget, sinks }: { budget: number; sinks: number },
  visible: number = position + 1,
): number[] {
  const { pageSize, group } = problem;
  const pageOf = (entry: number): number => Math.floor(entry / pageSize);
  const keys = matrix(inputs.key, problem, row, kvHead);
  const heads = span(0, headsOf(problem)).filter((head) => Math.floor(head / group) === kvHead);
  const queries = heads.map((head) => matrix(inputs.query, problem, row, head)[position]);
  const bound = (query: readonly number[], page: number): number => {
    const members = keys.filter((_, entry) => pageOf(entry) === page && entry < visible);
    return sum(query.map((q, d) => Math.max(...members.map((key) => q * key[d]))));
  };
  const pages = clear(
    best(
      (page) => Math.max(...queries.map((query) => bound(query, page))),
      span(0, pageOf(visible - 1) + 1),
      Math.ceil(budget / pageSize),
      [...span(0, sinks).map(pageOf), pageOf(position)],
    ),
  );
  return span(0, visible).filter((entry) => pages.includes(pageOf(entry)));
}
