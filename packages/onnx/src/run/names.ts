/** Inputs that carry the text, the first that a graph has. */
export const TEXTS: readonly string[] = ['input_ids', 'inputs_embeds'];

/** Inputs that are made where they are not given. */
export const MADE: readonly string[] = ['attention_mask', 'position_ids', 'token_type_ids'];

/** How many rows of logits; filled with 0, all of them, as rows are chosen here. */
export const LOGITS_TO_KEEP = 'num_logits_to_keep';
