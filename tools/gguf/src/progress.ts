import { Listr, ListrLogger, type ListrTask, ProcessOutput } from 'listr2';

/** Shows how far a stage is, a share from 0 to 1, and what it is doing. */
export type At = (share: number, doing?: string) => void;

/** A stage of the work. */
export interface Stage {
  readonly title: string;
  readonly run: (at: At) => Promise<void> | void;
}

/** `silent` is for tests; otherwise a terminal is redrawn and a log gets lines. */
export type Show = 'auto' | 'silent';

/** Runs stages in order, shown on standard error. What one throws ends the run. */
export async function runStages(stages: readonly Stage[], show: Show): Promise<void> {
  const live = process.stderr.isTTY;
  const tasks = stages.map(({ title, run }): ListrTask => ({
    title,
    task: async (_, task) => {
      let shown = 0;
      await run((share, doing = '') => {
        const percent = Math.floor(100 * share);
        if (!live && percent < shown + 10) return; // a log gets a line for each tenth
        shown = percent;
        task.output = `${percent} %  ${doing}`.trimEnd();
      });
    },
  }));
  const renderer = show === 'silent' ? 'silent' : live ? 'default' : 'simple';
  const processOutput = new ProcessOutput(process.stderr, process.stderr);
  const rendererOptions = { logger: new ListrLogger({ useIcons: true, processOutput }) };
  await new Listr(tasks, { renderer, concurrent: false, rendererOptions }).run();
}
