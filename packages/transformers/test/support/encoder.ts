import { copyFileSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { GraphBuilder } from '@jit-attention/onnx-writer';
import { modelDirectory } from '@jit-attention/reference-model';

const [VOCABULARY, HIDDEN, HEADS, LAYERS] = [2048, 64, 4, 3];

/**
 * A directory with a small encoder of made-up weights, as transformers.js loads it for `feature-extraction`: embedding
 * and layers of bidirectional attention, and the reference model's tokenizer.
 */
export function writeEncoder(): string {
  const directory = mkdtempSync(join(tmpdir(), 'jit-attention-encoder-'));
  mkdirSync(join(directory, 'onnx'));
  writeFileSync(join(directory, 'onnx/model.onnx'), encoder());
  const config = { model_type: 'bert', architectures: ['BertModel'], hidden_size: HIDDEN };
  writeFileSync(join(directory, 'config.json'), JSON.stringify(config));
  copyFileSync(join(modelDirectory, 'tokenizer.json'), join(directory, 'tokenizer.json'));
  const tokenizer = { tokenizer_class: 'PreTrainedTokenizerFast', pad_token: '</s>' };
  writeFileSync(join(directory, 'tokenizer_config.json'), JSON.stringify(tokenizer));
  return directory;
}

function encoder(): Uint8Array {
  const graph = new GraphBuilder();
  const tokens = ['batch_size', 'sequence_length'];
  graph.input('input_ids', 'i64', tokens);
  graph.input('attention_mask', 'i64', tokens);
  graph.output('last_hidden_state', 'f32', [...tokens, HIDDEN]);
  const mask = graph.node('Cast', '/mask', ['attention_mask'], { attributes: { to: 6 } });
  const embedding = weight(graph, 'embedding', [VOCABULARY, HIDDEN]);
  let x = graph.node('Gather', '/embed', [embedding, 'input_ids']);
  for (let i = 0; i < LAYERS; i++) x = layer(graph, `/layer.${i}`, x, mask);
  graph.node('Identity', '/out', [x], { outputs: ['last_hidden_state'] });
  return graph.encode({
    ...{ name: 'encoder', producer: 'test' },
    operatorSets: { '': 17, 'com.microsoft': 1 },
  });
}

function layer(graph: GraphBuilder, path: string, x: string, mask: string): string {
  const linear = (name: string, input: string) => {
    const matrix = weight(graph, `${path}/${name}`, [HIDDEN, HIDDEN]);
    return graph.node('MatMul', `${path}/${name}`, [input, matrix]);
  };
  const inputs = [...['q', 'k', 'v'].map((name) => linear(name, x)), '', mask];
  const attended = graph.node('MultiHeadAttention', path, inputs, {
    ...{ domain: 'com.microsoft', attributes: { num_heads: HEADS } },
  });
  return graph.node('Add', path, [x, linear('o', attended)]);
}

/** Numbers that look random, of the size that keeps a layer's output that of its input. */
function weight(graph: GraphBuilder, name: string, shape: [number, number]): string {
  const scale = 2 / Math.sqrt(HIDDEN);
  const values = Float32Array.from(
    { length: shape[0] * shape[1] },
    (_, i) => scale * Math.sin((i + name.length) ** 2),
  );
  return graph.constant(name, shape, values);
}
