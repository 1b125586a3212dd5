"""How pages look: one column, a serif for formulas, and the same colours for the same things in text and drawings."""

from __future__ import annotations

STYLE = """
:root {
  --paper: #ffffff; --raised: #f6f7f9; --ink: #1b1f24; --faint: #5d6673; --line: #d5dae1;
  --accent: #2a5db0; --good: #1f7a3a; --bad: #b3261e; --open: #8a5a00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15181c; --raised: #1e2328; --ink: #e4e7eb; --faint: #9aa4b0; --line: #363d46;
    --accent: #86b1f5; --good: #6fcf8b; --bad: #ff8f85; --open: #e8b34b;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.55 system-ui, sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 28px 24px 64px; }
header { border-bottom: 1px solid var(--line); margin-bottom: 8px; }
header p, .faint, figcaption { color: var(--faint); }
h1 { font-size: 24px; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 36px 0 10px; }
h3 { font-size: 14px; margin: 22px 0 6px; }
p { margin: 6px 0; overflow-wrap: anywhere; }
.formula { font: 23px/1.6 "STIX Two Math", "Cambria Math", "DejaVu Serif", Georgia, serif; margin: 12px 0;
  padding: 12px 16px 12px 40px; text-indent: -24px; background: var(--raised); border-left: 3px solid var(--accent);
  border-radius: 0 6px 6px 0; overflow-x: auto; }
.formula.long { font-size: 17px; }
.formula b { font-weight: 400; white-space: nowrap; }
.inline { font: 15px/1.5 "STIX Two Math", "Cambria Math", "DejaVu Serif", Georgia, serif; }
.inline b { font-weight: 400; white-space: nowrap; }
.badge { display: inline-block; border: 1px solid currentColor; border-radius: 10px; padding: 0 9px; margin-right: 8px;
  font-size: 13px; font-weight: 600; }
.good { color: var(--good); } .bad { color: var(--bad); } .open { color: var(--open); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 3px 18px; margin: 8px 0; }
dt { font-weight: 600; } dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; margin: 8px 0; }
table { border-collapse: collapse; font-size: 14px; }
th, td { text-align: left; vertical-align: top; padding: 4px 16px 4px 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--faint); white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.word { display: inline-block; font: 14px/1.5 ui-monospace, monospace; padding: 0 7px; margin: 2px 6px 2px 0;
  border: 1px solid var(--line); border-radius: 5px; background: var(--raised); overflow-wrap: anywhere; }
.word.bad { border-color: var(--bad); }
.word u { text-decoration-color: var(--accent); text-decoration-thickness: 2px; text-underline-offset: 3px; }
strong .inline b { font-weight: 700; }
.pair { display: flex; flex-wrap: wrap; gap: 8px 28px; align-items: flex-start; } .pair .wide { flex: 1 1 420px; min-width: 0; }
.heads, .programs { display: flex; flex-wrap: wrap; gap: 20px; align-items: flex-start; }
figure { margin: 8px 0; max-width: 100%; overflow-x: auto; }
.programs figure { flex: 1 1 380px; min-width: 0; }
figcaption { font-size: 13px; margin-bottom: 4px; }
pre { font: 13px/1.55 ui-monospace, monospace; margin: 0; padding: 10px 12px; background: var(--raised); border-radius: 6px;
  overflow-x: auto; }
td code { white-space: nowrap; }
td:first-child code { display: inline-block; width: max-content; max-width: 38ch; white-space: normal;
  overflow-wrap: break-word; }
code { font: inherit; font-family: ui-monospace, monospace; }
details { border-bottom: 1px solid var(--line); }
details > pre { margin: 4px 0 10px; white-space: pre-wrap; overflow-wrap: anywhere; }
summary { cursor: pointer; padding: 3px 0; font: 13px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
svg { display: block; font: 12px system-ui, sans-serif; }
svg.fits { max-width: 100%; height: auto; }
svg text { fill: var(--ink); } svg .faint { fill: var(--faint); }
svg .axis { stroke: var(--line); fill: none; }
svg .curve { stroke: var(--accent); stroke-width: 2; fill: none; }
svg .dot { fill: var(--paper); stroke: var(--accent); stroke-width: 2; } svg .dot.chosen, svg .bar { fill: var(--accent); }
svg .cell { fill: var(--accent); } svg .cell.negative { fill: var(--bad); }
svg .frame { fill: none; stroke: var(--line); }
svg .box { fill: var(--raised); stroke: var(--faint); } svg .box.rounds { stroke: var(--accent); stroke-width: 2; }
svg .box.input { stroke: var(--good); } svg .box.answer { fill: var(--accent); stroke: var(--accent); }
svg .box.answer + text, svg .box.answer + text + text { fill: var(--paper); }
svg .point { fill: var(--accent); } svg .edge { fill: none; stroke: var(--faint); stroke-opacity: .55; }
@media (max-width: 560px) {
  main { padding: 18px 14px 48px; } .formula { font-size: 19px; padding: 10px 10px 10px 30px; text-indent: -20px; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 6px; }
  td:first-child code { max-width: 16ch; } th, td { padding-right: 10px; }
}
@media print { details > pre { display: block; } main { max-width: none; } }
"""
