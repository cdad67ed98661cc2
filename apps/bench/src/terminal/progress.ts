import { Listr, ListrLogger, type ListrTask, ProcessOutput } from 'listr2';

/** A stage of the work, and how far it is: a share that grows from 0 to 1. */
export interface Stage {
  readonly title: string;
  run(progress: Progress): Promise<void>;
}

export interface Progress {
  /** Shows how far the stage is, and what it is doing. */
  readonly at: (share: number, doing?: string) => void;
}

/** `silent` is for tests; otherwise a terminal is redrawn and a log gets lines. */
export type Show = 'auto' | 'silent';

/** Runs stages in order, shown on standard error: standard output is for the results. What one throws ends the run. */
export async function runStages(stages: readonly Stage[], show: Show): Promise<void> {
  const live = show === 'auto' && process.stderr.isTTY;
  const tasks = stages.map((stage): ListrTask => ({
    title: stage.title,
    task: (_, task) => {
      const say = (text: string): void => {
        task.output = text;
      };
      return stage.run({ at: live ? liveProgress(say) : tenths(say) });
    },
  }));
  const renderer = show === 'silent' ? 'silent' : live ? 'default' : 'simple';
  const processOutput = new ProcessOutput(process.stderr, process.stderr);
  const rendererOptions = { logger: new ListrLogger({ useIcons: true, processOutput }) };
  await new Listr(tasks, { renderer, concurrent: false, rendererOptions }).run();
}

const BAR = 24;

/** A bar, what is going on, and how long it may still take. */
function liveProgress(say: (text: string) => void): Progress['at'] {
  const started = performance.now();
  return (share, doing = '') => {
    const filled = Math.round(BAR * share);
    const bar = '█'.repeat(filled) + '░'.repeat(BAR - filled);
    say(`${bar} ${percentOf(share)}${remaining(share, started)}  ${doing}`);
  };
}

/** A log is no place for a bar: a line for each tenth. */
function tenths(say: (text: string) => void): Progress['at'] {
  let shown = 0;
  return (share, doing = '') => {
    const tenth = Math.floor(10 * share);
    if (tenth <= shown) return;
    shown = tenth;
    say(`${percentOf(share)} ${doing}`.trimEnd());
  };
}

const percentOf = (share: number): string => `${Math.round(100 * share)}`.padStart(3) + ' %';

/** Said once there is something to go by. */
function remaining(share: number, started: number): string {
  const elapsed = (performance.now() - started) / 1000;
  if (elapsed < 3 || share <= 0.02) return '';
  return `, ${Math.ceil((elapsed / share) * (1 - share))} s left`;
}
