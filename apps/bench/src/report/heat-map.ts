import * as Plot from '@observablehq/plot';

import type { MassMap, MassPanel } from '../measure/mass.js';
import type { Html } from './html.js';
import { draw } from './plot.js';

/** Least mass of each shade; what is below the first counts as nothing. */
const SHADES = [0.004, 0.015, 0.05, 0.15, 0.4];

/** How a cell is painted: a class of the style sheet, such as `read shade-3`. */
type Paint = string | undefined;

/** Where the attention of the head lies. */
export function truthMap(map: MassMap): Html {
  return drawCells('Attention, as it is', map, (row, column) =>
    shaded('mass', map.truth[row][column]),
  );
}

/** The same, in the colours of what a strategy read and what it missed. */
export function readMap(label: string, map: MassMap, { captured }: MassPanel): Html {
  return drawCells(label, map, (row, column) => {
    const mass = map.truth[row][column];
    const part = captured[row][column];
    const caught = part !== undefined && part >= mass / 2;
    return shaded(caught ? 'read' : 'missed', mass) ?? (part === undefined ? undefined : 'idle');
  });
}

function shaded(kind: string, mass: number): Paint {
  const shade = SHADES.filter((least) => mass >= least).length;
  return shade === 0 ? undefined : `${kind} shade-${shade}`;
}

/** One path for all cells of a paint: thousands of rectangles would be a heavy page. */
function drawCells(
  label: string,
  map: MassMap,
  paint: (row: number, column: number) => Paint,
): Html {
  const { positions, span } = map;
  const tokens = positions.at(-1)! + 1;
  const paths = new Map<string, [column: number, row: number][]>();
  for (let row = 0; row < positions.length; row++) {
    for (let column = 0; column <= row; column++) {
      const painted = paint(row, column);
      if (painted) paths.set(painted, [...(paths.get(painted) ?? []), [column, row]]);
    }
  }
  return draw(label, {
    aspectRatio: 1,
    marginLeft: 48,
    marginBottom: 40,
    marginTop: 26,
    x: { label: 'tokens of the past →', domain: [0, tokens], ticks: 4 },
    y: { label: '↓ token that is asking', domain: [0, tokens], ticks: 4, reverse: true },
    marks: [
      (_index, { x, y }, _values, _dimensions, { document }) => {
        const group = document.createElementNS('http://www.w3.org/2000/svg', 'g');
        for (const [painted, cells] of paths) {
          const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
          path.setAttribute('class', painted);
          path.setAttribute('d', cells.map((cell) => square(cell, span, x!, y!)).join(''));
          group.append(path);
        }
        return group;
      },
      Plot.frame({ strokeOpacity: 0.2 }),
    ],
  });
}

type Scale = (value: number) => number;

function square([column, row]: [number, number], span: number, x: Scale, y: Scale): string {
  const [left, right] = [x(column * span), x((column + 1) * span)].map(round);
  const [top, bottom] = [y(row * span), y((row + 1) * span)].map(round);
  return `M${left} ${top}H${right}V${bottom}H${left}Z`;
}

/** To a tenth of a unit, a twentieth of a pixel. */
const round = (value: number): number => Math.round(value * 10) / 10;
