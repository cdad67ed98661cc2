import { describe, expect, it } from 'vitest';

import { anchorsOf, blocksOf, linksOf } from '../markdown.js';

const page = `# One, two: \`three()\`

See [a file](./a.md#there "title") and ![a picture](b.png), not \`[code](c.md)\`.

\`\`\`ts file=a.ts
const [x](y) = 1;

\`\`\`

\`\`\`text of=a.ts
# 1
\`\`\`
`;

describe('markdown', () => {
  it('finds blocks with their options', () => {
    expect(blocksOf(page)).toEqual([
      { language: 'ts', options: { file: 'a.ts' }, code: 'const [x](y) = 1;\n\n', line: 5 },
      { language: 'text', options: { of: 'a.ts' }, code: '# 1\n', line: 10 },
    ]);
  });

  it('finds links in prose alone', () => {
    expect(linksOf(page).map(({ target }) => target)).toEqual(['./a.md#there', 'b.png']);
  });

  it('names headings as GitHub does', () => {
    expect(anchorsOf(page)).toEqual(['one-two-three']);
  });
});
