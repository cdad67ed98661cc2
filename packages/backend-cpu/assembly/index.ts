/** What the host calls: every export here is an export of the WASM file; kernels are `name(desc, scratch)`. */
export { heapBase } from './heap';
export { attendJoin, partialBytes } from './attend/output';
export { attend, attendScratch } from './attend/task';

// Exported so that the optimiser does not inline them into their only caller: in a function of its own V8 keeps a
// loop's accumulators in registers, in a large one it spills them (47 GFLOP/s against 17).
export { scoreFour, scoreSix } from './lanes/score';
export { softmaxLanes } from './lanes/softmax';
export { weighFour, weighSix } from './lanes/weigh';
export { dots } from './dots';
export { softmaxRow } from './few/softmax';
export { weigh32 } from './few/weigh';
export { gatherRows } from './gather';
export { dotCodes } from './select/codes';
export { boundRow } from './select/bounds';
export { convertRows } from './convert';
export { copyBlocks, moveRows, permuteElements, writeSlots } from './arrange';
export { mergeParts } from './merge';
export { poolGroups } from './pool';
export { linear, linearScratch } from './linear';
export { hadamardRows, normRows, quantiseRows, rotateRows } from './rows';
export { selectMarked, selectPickBytes, selectPicked } from './select/pick';
export { selectScores, selectStatistics } from './select/score';
