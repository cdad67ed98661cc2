import type { Matcher } from '../site.js';
import { MICROSOFT } from './operator.js';
import { orRefusal, refuse } from './refused.js';

/** Softmax attention in operators that are not taken over. */
const OTHERS = [
  ...['Attention', 'QAttention', 'DecoderAttention', 'DecoderMaskedSelfAttention'],
  ...['DecoderMaskedMultiHeadAttention', 'LongformerAttention', 'PackedAttention'],
  ...['PackedMultiHeadAttention', 'PagedAttention', 'SparseAttention'],
];

/** Names what it sees, so that no attention of a model stays behind unnoticed. */
export const otherAttention: Matcher = (_, node) => {
  if (node.domain !== MICROSOFT || !OTHERS.includes(node.opType)) return undefined;
  return orRefusal(() =>
    refuse(
      node,
      `operator ${MICROSOFT} ${node.opType}`,
      'GroupQueryAttention, MultiHeadAttention, ai.onnx Attention, or MatMul, Softmax and MatMul',
    ),
  );
};
