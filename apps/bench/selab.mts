import { cpu } from '@jit-attention/backend-cpu';
import { entriesOf, topk } from '@jit-attention/core';
const only = process.argv[2] ?? '';
const b = await cpu({ threads: 1 });
const rnd = (n: number, s = 1) => { let x = 12345 + s; return Float32Array.from({ length: n }, () => { x = (Math.imul(x, 1103515245) + 12345) >>> 0; return x / 2 ** 31 - 1; }); };
const T = (shape: number[], s: number, dtype = 'f32') => b.tensor(rnd(shape.reduce((a, c) => a * c, 1), s), { shape, dtype: dtype as 'f32' });
const cases: Record<string, () => any> = {};
const pos = (first: number, tokens: number) => ({ first: [first], counts: [tokens], tokens });
if ('bounds prefill'.match(only)) { const q = T([1, 8, 512, 64], 1), lo = T([1, 8, 256, 64], 2), hi = T([1, 8, 256, 64], 3), over = entriesOf(T([1, 8, 16384, 1], 4));
  const r = { score: { kind: 'bounds', query: q, min: entriesOf(lo), max: entriesOf(hi) }, over, block: 64, queryBlock: 64, positions: pos(16384 - 512, 512), pick: topk(16) }; cases['bounds prefill'] = () => b.select(r as any); }
if ('bounds decode'.match(only)) { const q = T([1, 8, 1, 64], 1), lo = T([1, 8, 2048, 64], 2), hi = T([1, 8, 2048, 64], 3), over = entriesOf(T([1, 8, 131072, 1], 4));
  const r = { score: { kind: 'bounds', query: q, min: entriesOf(lo), max: entriesOf(hi) }, over, block: 64, positions: pos(131071, 1), pick: topk(32) }; cases['bounds decode'] = () => b.select(r as any); }
if ('dot decode'.match(only)) { const q = T([1, 8, 1, 64], 1), k = entriesOf(T([1, 8, 65536, 64], 2));
  for (const kind of ['dot', 'softmax']) { const r = { score: { kind, query: q, keys: k, scale: 0.125 }, over: k, positions: pos(65535, 1), pick: topk(2048) }; cases[kind + ' decode'] = () => b.select(r as any); }
  const q4 = T([1, 32, 1, 64], 1); const r = { score: { kind: 'softmax', query: q4, keys: k, scale: 0.125 }, over: k, positions: pos(65535, 1), pick: topk(2048) }; cases['softmax decode gqa4'] = () => b.select(r as any); }
if ('softmax prefill'.match(only)) { const q = T([1, 4, 256, 64], 1), k = entriesOf(T([1, 4, 4096, 64], 2)); const r = { score: { kind: 'softmax', query: q, keys: k, scale: 0.125 }, over: k, positions: pos(4096 - 256, 256), pick: topk(512) }; cases['softmax prefill'] = () => b.select(r as any); }
for (const dtype of ['f32', 'i8']) if (`relu decode ${dtype}`.match(only)) { const q = T([1, 64, 1, 128], 1), w = T([1, 64, 1, 1].slice(0, 4), 5), k = entriesOf(T([1, 1, 32768, 128], 2, dtype)); const wt = b.tensor(rnd(64, 5), { shape: [1, 64, 1] });
  const r = { score: { kind: 'reluWeighted', query: q, keys: k, weights: wt, scale: 0.1 }, over: k, positions: pos(32767, 1), pick: topk(2048) }; cases[`relu decode ${dtype}`] = () => b.select(r as any);
  const qp = T([1, 64, 64, 128], 1), wp = b.tensor(rnd(64 * 64, 5), { shape: [1, 64, 64] }); const kp = entriesOf(T([1, 1, 4096, 128], 2, dtype));
  const rp = { ...r, score: { ...r.score, query: qp, weights: wp, keys: kp }, over: kp, positions: pos(4096 - 64, 64), pick: topk(512) }; cases[`relu prefill ${dtype}`] = () => b.select(rp as any); }
const best: Record<string, number> = {};
for (let i = 0; i < 9; i++) for (const k in cases) { const t = process.cpuUsage(); const r = cases[k](); const u = process.cpuUsage(t); r.ids.dispose(); r.counts.dispose(); best[k] = Math.min(best[k] ?? 1e9, (u.user + u.system) / 1000); }
console.log(JSON.stringify(best));
await b.dispose?.();
