/** Where the host may begin to give out memory: constants lie below. */
export function heapBase(): usize {
  return __heap_base;
}
