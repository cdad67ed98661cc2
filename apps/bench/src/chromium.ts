import { fileURLToPath } from 'node:url';

/** A page to open. */
export interface PageSource {
  /** Its script among the sources of this package, `peers/page.ts`: it puts `answer(question)` on `globalThis`. */
  readonly script: string;
  /** Folders whose files it finds, by the path that they are served under. */
  readonly folders: Readonly<Record<string, string>>;
}

/** A page that is open, and answers. */
export interface OpenPage<Question, Answer> {
  ask(question: Question): Promise<Answer>;
  close(): Promise<void>;
}

/**
 * A page of the machine's Chromium, on the same adapter of software as Node.
 *
 * @throws {Error} where there is no Chromium
 */
export async function openPage<Question, Answer>({
  script: file,
  folders,
}: PageSource): Promise<OpenPage<Question, Answer>> {
  const { bundle, findChromium, NO_CHROMIUM, openChromium, serve } =
    await import('@jit-attention/testkit/exams/browser');
  const path = findChromium();
  if (path === undefined) throw new Error(`needs Chromium: ${NO_CHROMIUM}`);
  const isSource = import.meta.url.endsWith('.ts');
  const entry = new URL(isSource ? `./${file}` : `../src/${file}`, import.meta.url);
  const script = await bundle(fileURLToPath(entry));
  const server = await serve({ script, isolated: true, folders });
  const browser = await openChromium(path, { webgpu: true }).catch((error: unknown) => {
    server.close(); // it would keep the process alive
    throw error;
  });
  const close = async (): Promise<void> => {
    await browser.close();
    server.close();
  };
  const page = await browser.newPage();
  await page.goto(server.url).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    async ask(question) {
      const ask = (question: unknown) =>
        (globalThis as unknown as { answer(question: unknown): Promise<unknown> }).answer(question);
      return (await page.evaluate(ask, question as unknown)) as Answer;
    },
    close,
  };
}
