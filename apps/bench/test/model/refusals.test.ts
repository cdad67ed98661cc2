import type { InputError } from '@jit-attention/core';
import { modelDirectory } from '@jit-attention/reference-model';
import type { NodeProto } from 'onnx-buf';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

import { captureAttention, type CaptureOptions } from '../../src/model/index.js';
import { attentionNodes, emptyDirectory, removeDirectories, variant } from './graphs.js';
import { setFloat, setInt, variants } from './variants.js';

afterAll(removeDirectories);

/** The error of a capture that should fail: code, and message without the directory's name. */
async function refusal(options: Partial<CaptureOptions>): Promise<{ code: string; text: string }> {
  const directory = options.directory ?? modelDirectory;
  try {
    await captureAttention({ directory, tokens: 4, ids: [2, 3, 4, 5], ...options });
  } catch (error) {
    const { code, message } = error as InputError;
    return { code, text: message.replaceAll(directory, 'DIR') };
  }
  throw new Error('nothing was refused');
}

describe('files that are not there', () => {
  it('the directory', async () => {
    const directory = join(emptyDirectory(), 'none');
    expect(await refusal({ directory })).toMatchInlineSnapshot(`
      {
        "code": "MISSING_INPUT",
        "text": "DIR is not a directory
        hint: pass --model <dir>; a Hugging Face directory has config.json, tokenizer.json and onnx/model.onnx (or another onnx/model*.onnx)",
      }
    `);
  });

  it('config.json', async () => {
    expect(await refusal({ directory: emptyDirectory() })).toMatchInlineSnapshot(`
      {
        "code": "MISSING_INPUT",
        "text": "DIR/config.json is missing
        hint: a Hugging Face directory has config.json, tokenizer.json and onnx/model.onnx (or another onnx/model*.onnx)",
      }
    `);
  });

  it('the graph', async () => {
    const directory = emptyDirectory();
    writeFileSync(join(directory, 'config.json'), '{}');
    expect(await refusal({ directory })).toMatchInlineSnapshot(`
      {
        "code": "MISSING_INPUT",
        "text": "DIR has no onnx/model*.onnx
        hint: take a repository that has one, or export the model with the builder of onnxruntime-genai",
      }
    `);
  });

  it('the tokenizer, when there is a text to read', async () => {
    const directory = variant(() => {});
    rmSync(join(directory, 'tokenizer.json'));
    const failed = captureAttention({ directory, text: 'Call me Ishmael.', tokens: 4 });
    await expect(failed).rejects.toThrow(/tokenizer\.json is missing/);
    await expect(failed).rejects.toMatchObject({ code: 'MISSING_INPUT' });
  });

  it('weights that the graph keeps elsewhere', async () => {
    const directory = variant(variants['weights in a file of their own']);
    rmSync(join(directory, 'onnx', 'model.onnx_data'));
    expect(await refusal({ directory })).toMatchInlineSnapshot(`
      {
        "code": "MISSING_INPUT",
        "text": "DIR/onnx/model.onnx_data is missing
        hint: model.onnx keeps weights there; copy it too",
      }
    `);
  });
});

describe('files that are something else', () => {
  it('a graph that is no protobuf', async () => {
    const directory = variant(() => {});
    writeFileSync(
      join(directory, 'onnx', 'model.onnx'),
      'version https://git-lfs.github.com/spec/v1',
    );
    expect(await refusal({ directory })).toMatchInlineSnapshot(`
      {
        "code": "MISSING_INPUT",
        "text": "DIR/onnx/model.onnx is not an ONNX file
        hint: a Git LFS pointer? Fetch the file itself",
      }
    `);
  });

  it('a configuration that is not JSON', async () => {
    const directory = variant(() => {});
    writeFileSync(join(directory, 'config.json'), '<html>');
    expect(await refusal({ directory })).toMatchInlineSnapshot(`
      {
        "code": "MISSING_INPUT",
        "text": "DIR/config.json is not valid JSON
        hint: copy it anew from the model repository",
      }
    `);
  });
});

describe('what the model has not', () => {
  it('so many positions', async () => {
    expect(await refusal({ tokens: 9000 })).toMatchInlineSnapshot(`
      {
        "code": "INVALID_OPTION",
        "text": "captureAttention tokens: expected at most 8192, the model's positions, got 9000",
      }
    `);
  });

  it('such a layer', async () => {
    expect(await refusal({ layers: [1, 4] })).toMatchInlineSnapshot(`
      {
        "code": "INVALID_OPTION",
        "text": "captureAttention layers: expected some of 0, 1, 2, 3, got [4]",
      }
    `);
  });

  it('so many ids', async () => {
    expect(await refusal({ tokens: 5 })).toMatchInlineSnapshot(`
      {
        "code": "INVALID_OPTION",
        "text": "captureAttention ids: expected at least 5 token ids, got 4",
      }
    `);
  });

  it('so long a text', async () => {
    const options = { directory: modelDirectory, tokens: 50, text: 'Call me Ishmael.' };
    await expect(captureAttention(options)).rejects.toThrow(
      /expected at most the \d+ tokens of the text, got 50/,
    );
  });

  it('half a token', async () => {
    expect(await refusal({ tokens: 1.5 })).toMatchInlineSnapshot(`
      {
        "code": "INVALID_OPTION",
        "text": "captureAttention tokens: expected a whole number of at least 1, got 1.5",
      }
    `);
  });
});

describe('attention that cannot be followed', () => {
  const change = (edit: (node: NodeProto) => void) =>
    refusal({ directory: variant((graph) => edit(attentionNodes(graph)[2])) });

  it('is in other operators', async () => {
    const directory = variant((graph) => {
      for (const node of attentionNodes(graph)) node.opType = 'MultiHeadAttention';
    });
    expect(await refusal({ directory })).toMatchInlineSnapshot(`
      {
        "code": "UNSUPPORTED",
        "text": "DIR/onnx/model.onnx: no com.microsoft GroupQueryAttention node (it has MultiHeadAttention '/model/layers.0/self_attn/GroupQueryAttention'); attention in other operators cannot be captured
        hint: export the model with the builder of onnxruntime-genai, which writes that operator; or take its queries, keys and values in its own framework and pass them by --qkv",
      }
    `);
  });

  it('is not causal', async () => {
    expect(await change((node) => setInt(node, 'causal', 0))).toMatchInlineSnapshot(`
      {
        "code": "UNSUPPORTED",
        "text": "DIR/onnx/model.onnx: node '/model/layers.2/self_attn/GroupQueryAttention' has causal 0, which capture cannot follow
        hint: take its queries, keys and values in its own framework and pass them by --qkv",
      }
    `);
  });

  it('keeps only a window', async () => {
    const failure = await change((node) => setInt(node, 'sliding_window_cache', 1));
    expect(failure).toMatchInlineSnapshot(`
      {
        "code": "UNSUPPORTED",
        "text": "DIR/onnx/model.onnx: node '/model/layers.2/self_attn/GroupQueryAttention' has sliding_window_cache 1, which capture cannot follow
        hint: take its queries, keys and values in its own framework and pass them by --qkv",
      }
    `);
  });

  it('normalises queries and keys inside the node', async () => {
    const failure = await change((node) => {
      node.input.push('', '', '', '', '', 'norm', 'norm');
    });
    expect(failure).toMatchInlineSnapshot(`
      {
        "code": "UNSUPPORTED",
        "text": "DIR/onnx/model.onnx: node '/model/layers.2/self_attn/GroupQueryAttention' has q_norm_weight, norms inside the node, which capture cannot follow
        hint: take its queries, keys and values in its own framework and pass them by --qkv",
      }
    `);
  });

  it('does not write its keys', async () => {
    expect(await change((node) => node.output.splice(1))).toMatchInlineSnapshot(`
      {
        "code": "UNSUPPORTED",
        "text": "DIR/onnx/model.onnx: node '/model/layers.2/self_attn/GroupQueryAttention' has no present_key and present_value outputs, which capture cannot follow
        hint: take its queries, keys and values in its own framework and pass them by --qkv",
      }
    `);
  });

  it('needs an input of unknown meaning', async () => {
    const directory = variant((graph) => {
      for (const node of graph.node) {
        node.input = node.input.map((name) => (name === 'input_ids' ? 'tokens' : name));
      }
      graph.input[0].name = 'tokens';
    });
    expect(await refusal({ directory })).toMatchInlineSnapshot(`
      {
        "code": "UNSUPPORTED",
        "text": "DIR/onnx/model.onnx: cannot fill input 'tokens' of rank 2 (known: input_ids, attention_mask, position_ids of rank 2, past keys and values)
        hint: take its queries, keys and values in its own framework and pass them by --qkv",
      }
    `);
  });

  it('differs from layer to layer', async () => {
    const directory = variant((graph) => setFloat(attentionNodes(graph)[1], 'scale', 0.25));
    expect(await refusal({ directory })).toMatchInlineSnapshot(`
      {
        "code": "UNSUPPORTED",
        "text": "layers 0 and 1 differ: heads 4, kvHeads 2, headDim 64, valueDim 64, scale 0.125; heads 4, kvHeads 2, headDim 64, valueDim 64, scale 0.25
        hint: choose layers of one shape by --layers; or take its queries, keys and values in its own framework and pass them by --qkv",
      }
    `);
  });
});

it('takes the most exact of several graphs', async () => {
  const directory = variant(() => {});
  const rename = (name: string) =>
    cpSync(join(directory, 'onnx', 'model.onnx'), join(directory, 'onnx', name));
  for (const name of ['model_q4.onnx', 'model_fp16.onnx', 'model_int8.onnx']) rename(name);
  const capture = () => captureAttention({ directory, tokens: 2, ids: [2, 3] });
  expect((await capture()).config.source).toBe(join(directory, 'onnx', 'model.onnx'));
  rmSync(join(directory, 'onnx', 'model.onnx'));
  expect((await capture()).config.source).toBe(join(directory, 'onnx', 'model_fp16.onnx'));
});
