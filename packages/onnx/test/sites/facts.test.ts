import { create } from '@bufbuild/protobuf';
import { ValueInfoProtoSchema } from 'onnx-buf';
import { describe, expect, test } from 'vitest';

import { readGraph } from '../../src/graph/read.js';
import { typeName } from '../../src/graph/types.js';
import { Facts } from '../../src/sites/facts/facts.js';
import { edited } from '../support/edit.js';
import { FAMILIES, SIZES, type SmallModel } from '../support/graphs/index.js';
import { Original } from '../support/original.js';

/** Every value of the graph is an output. */
const exposed = (small: SmallModel): SmallModel => ({
  ...small,
  model: edited(small.model, ({ graph }) => {
    const declared = new Set(graph!.output.map(({ name }) => name));
    const names = graph!.node.flatMap(({ output }) => output).filter((name) => name !== '');
    const more = names.filter((name) => !declared.has(name));
    graph!.output.push(...more.map((name) => create(ValueInfoProtoSchema, { name })));
  }),
});

describe.each(Object.entries(FAMILIES))('%s', (_, kinds) => {
  test.each(kinds.filter(({ twin }) => !twin))('$name', async (kind) => {
    const small = exposed(kind.write(SIZES));
    const graph = readGraph('model.onnx', small.model);
    const facts = Facts.of(graph);
    const original = await Original.load(small);
    const values = await original.values({ ids: [[1, 2, 3, 4, 5]] });
    await original.release();
    for (const [name, { type, dims, data }] of Object.entries(values)) {
      expect(facts.type(name), `type of ${name}`).toBeDefined();
      expect(typeName(facts.type(name)), `type of ${name}`).toBe(type);
      facts.dims(name)?.forEach((size, axis) => {
        if (size !== undefined) expect(size, `size ${axis} of ${name}`).toBe(dims[axis]);
      });
      facts.numbers(name)?.forEach((number, i) => {
        if (number !== undefined)
          expect(number, `element ${i} of ${name}`).toBeCloseTo(Number((data as never)[i]), 5);
      });
    }
  });
});
