import { operation } from './support/operation.js';
import { requestOf, selectCases } from './support/select-case.js';

operation(
  'select, by exact scores',
  selectCases,
  (table, one) => {
    const { ids, counts } = table.backend.select(requestOf(table, one));
    return { ids, counts };
  },
  0,
);
