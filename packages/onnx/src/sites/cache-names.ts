import type { CacheNames } from '../site.js';
import type { Operator } from './operator.js';
import { joinedCache, type Stored } from './stored.js';

/**
 * The cache of an operator: one that the graph joins to its keys and values, or its own inputs `past_key`,
 * `past_value` and outputs `present_key`, `present_value`. Undefined where there is none.
 */
export function cacheNames(
  operator: Operator,
  key?: Stored,
  value?: Stored,
): CacheNames | undefined {
  const joined = key && value && joinedCache(operator.node, key, value);
  if (!joined) return ownCache(operator);
  operator.without('past_key', 'past_value', 'present_key', 'present_value');
  return joined;
}

/** All four of them the model's, and read by nobody else, as ours takes their place. */
function ownCache(operator: Operator): CacheNames | undefined {
  const [pastKey, pastValue] = [pastOf(operator, 'past_key'), pastOf(operator, 'past_value')];
  if (pastKey === undefined && pastValue === undefined) {
    operator.without('present_key', 'present_value');
    return undefined;
  }
  if (pastKey === undefined || pastValue === undefined)
    return operator.refuse(
      `${operator.called(pastKey ? 'past_key' : 'past_value')} alone`,
      'past_key and past_value',
    );
  return {
    pastKey,
    pastValue,
    presentKey: presentOf(operator, 'present_key'),
    presentValue: presentOf(operator, 'present_value'),
  };
}

function pastOf(operator: Operator, name: string): string | undefined {
  const value = operator.input(name);
  if (value !== undefined && !operator.graph.input(value))
    operator.refuse(
      `${operator.called(name)} that is computed in the graph`,
      'an input of the model',
    );
  return value;
}

function presentOf(operator: Operator, name: string): string {
  const value = operator.output(name);
  if (value === undefined || !operator.graph.output(value))
    return operator.refuse(
      `${operator.called(name)} that is no output of the model`,
      'an output of the model',
    );
  const [reader] = operator.graph.consumers(value);
  if (reader)
    operator.refuse(`${operator.called(name)} that node '${reader.name}' reads`, 'an output alone');
  return value;
}
