import type { CacheNames } from '../site.js';
import type { Operator } from './operator.js';

/**
 * The cache of an operator with inputs `past_key`, `past_value` and outputs `present_key`, `present_value`: all four
 * of them the graph's own, and read by nobody else, as ours takes their place. Undefined where there is none.
 */
export function cacheNames(operator: Operator): CacheNames | undefined {
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
