/** The page's style sheet: light and dark, from a phone's width to a desk's; nothing is loaded from elsewhere. */
export const STYLES = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --raised: #f5f6f8; --ink: #1c2128; --soft: #59636e; --line: #d9dee4;
  --read: #1f6feb; --missed: #d1242f; --good: #1a7f37; --poor: #9a6700;
  --series-0: #6e7781; --series-1: #bc4c00; --series-2: #1f6feb; --series-3: #1a7f37;
  --series-4: #8250df; --series-5: #bf3989; --series-6: #0b7285; --series-7: #7d4e00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0d1117; --raised: #161b22; --ink: #e6edf3; --soft: #9198a1; --line: #30363d;
    --read: #58a6ff; --missed: #ff6a5f; --good: #3fb950; --poor: #d29922;
    --series-0: #9198a1; --series-1: #f0883e; --series-2: #58a6ff; --series-3: #3fb950;
    --series-4: #bc8cff; --series-5: #f778ba; --series-6: #56d4dd; --series-7: #d4a72c;
  }
}
main { --idle: color-mix(in srgb, var(--read) 9%, var(--page)); }
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif;
}
main { max-width: 1040px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: clamp(1.6rem, 4.5vw, 2.3rem); line-height: 1.2; margin: 0 0 12px; text-wrap: balance; }
h2 { font-size: 1.35rem; line-height: 1.3; margin: 56px 0 8px; }
h3 { font-size: 1rem; margin: 0 0 8px; }
p { max-width: 72ch; margin: 8px 0 12px; }
.lead { font-size: 1.1rem; }
.soft, figcaption, dt { color: var(--soft); }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 0.875em; }
pre { background: var(--raised); border: 1px solid var(--line); border-radius: 8px; padding: 14px 16px; overflow-x: auto; }
.cards { display: grid; gap: 12px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 220px), 1fr)); margin: 24px 0; padding: 0; list-style: none; }
.cards li { background: var(--raised); border: 1px solid var(--line); border-top: 4px solid var(--colour); border-radius: 8px; padding: 12px 16px; }
.cards strong { display: block; font-size: 1.7rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 16px 0; }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.figures { display: grid; gap: 24px 28px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); margin: 16px 0; }
.single { max-width: 500px; }
figure { margin: 0; min-width: 0; }
figcaption { font-size: 0.9rem; }
.plot { display: block; width: 100%; height: auto; overflow: visible; }
.plot text { fill: var(--soft); }
.mass { fill: var(--ink); } .read { fill: var(--read); } .missed { fill: var(--missed); }
.idle { fill: var(--idle); }
.shade-1 { fill-opacity: 0.16; } .shade-2 { fill-opacity: 0.34; } .shade-3 { fill-opacity: 0.56; }
.shade-4 { fill-opacity: 0.8; } .shade-5 { fill-opacity: 1; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 8px 0; padding: 0; list-style: none; font-size: 0.9rem; }
.legend li { display: flex; align-items: center; gap: 6px; }
.swatch { flex: none; width: 14px; height: 14px; border-radius: 3px; background: var(--colour); }
.scroll { overflow-x: auto; margin: 12px 0; border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 12px; text-align: right; white-space: nowrap; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--soft); font-weight: 600; background: var(--raised); }
th:first-child { text-align: left; position: sticky; left: 0; background: var(--page); font-weight: 600; }
thead th:first-child { background: var(--raised); }
tr.first > * { border-top: 2px solid var(--line); }
.good { color: var(--good); font-weight: 600; } .poor { color: var(--poor); } .failed { color: var(--missed); white-space: normal; text-align: left; min-width: 24ch; }
th.long { white-space: normal; min-width: 24ch; }
.plot .cell-text text, .plot text.cell-text { fill: var(--ink); }
details { margin: 12px 0; } summary { cursor: pointer; }
@media print { main { max-width: none; } }
`;
