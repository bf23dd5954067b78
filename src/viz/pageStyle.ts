/** The look of pages, on top of the pictures' own rules (theme.ts): one column of prose width, figures may be wider. */

import { monoFont, sansFont, seriesColours } from './theme.js';

export const pageStyle = `
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.55 ${sansFont};-webkit-text-size-adjust:100%}
main{max-width:1200px;margin:0 auto;padding:40px 24px 64px}
h1{font-size:28px;line-height:1.2;margin:0 0 6px;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{font-size:20px;margin:56px 0 16px;padding-top:20px;border-top:1px solid var(--line)}
h3{font-size:17px;margin:36px 0 4px;overflow-wrap:anywhere}
h4{font-size:14px;margin:20px 0 4px}
p{margin:0 0 12px;max-width:72ch}
a{color:inherit}
.muted,.hint,.chosen,caption{color:var(--muted);font-size:13px}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.status{font-weight:600}.status.finished{color:var(--good)}.status.diverged{color:var(--bad)}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:12px;margin:24px 0 0}
.tiles div{background:var(--raised);border-radius:8px;padding:12px 14px}
.tiles dt{color:var(--muted);font-size:13px;line-height:1.3}
.tiles dd{margin:4px 0 0;font-size:23px;line-height:1.2;font-variant-numeric:tabular-nums;white-space:nowrap}
.tiles dd span{font-size:13px;color:var(--muted)}
.pairs{display:grid;grid-template-columns:repeat(auto-fill,minmax(200px,1fr));gap:4px 24px;margin:12px 0 0;font-size:13px}
.pairs div{display:flex;gap:8px;border-bottom:1px solid var(--line);padding:4px 0}
.pairs dt{color:var(--muted)}
.pairs dd{margin:0 0 0 auto;text-align:right;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums}
caption{text-align:left;padding:4px 0}
th,td{padding:5px 14px 5px 0;text-align:left;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
thead th{color:var(--muted);font-weight:400}
details table td,details table th{text-align:right;white-space:nowrap;padding:3px 8px}
.words{font-size:15px;width:100%;min-width:460px;max-width:860px}.words .right,.words .wrong,.words thead th{white-space:nowrap}
h3 .muted{font-weight:400}
.words td{font-family:${monoFont};font-size:14px}
.right{color:var(--good)}.wrong{color:var(--bad)}.words .right,.words .wrong{font-family:inherit}
.compared td{white-space:nowrap}
.tools{display:flex;flex-wrap:wrap;gap:6px;align-items:center;margin:0 0 10px;font-size:13px;color:var(--muted)}
.tools button,.tools select{font:inherit;color:var(--ink);background:var(--raised);border:1px solid var(--line);border-radius:6px;padding:2px 9px;min-height:26px;cursor:pointer}
.tools label{display:inline-flex;gap:5px;align-items:center;margin-left:8px}
.tools input{accent-color:var(--accent);margin:0}
.tools button:hover{border-color:var(--muted)}
.tile-map .plot{position:relative;width:min(768px,100%);border:1px solid var(--line)}
.hatched{width:14px;height:10px;margin-left:12px;border:1px solid var(--line);background:repeating-linear-gradient(135deg,var(--hatch) 0 1px,var(--paper) 1px 4px)}
.tile-map canvas{display:block;width:100%;aspect-ratio:1;cursor:zoom-in}
.cross{position:absolute;width:11px;height:11px;margin:-6px;border:2px solid var(--accent);border-radius:50%;pointer-events:none}
.head-view .token{cursor:pointer;outline:none}.head-view .token:hover,.head-view .token:focus{fill:var(--accent);font-weight:700}
.board-cell{outline:none}.board-cell:hover,.board-cell:focus{stroke:var(--accent);stroke-width:2.5}.pins{pointer-events:none}.away{display:none}
.health-board .step{display:inline-block;min-width:4ch;font-variant-numeric:tabular-nums;color:var(--ink)}.health-board input{width:min(320px,50vw)}
.key{display:inline-flex;gap:6px;align-items:center;margin-left:16px;font-variant-numeric:tabular-nums}.key .bar{width:120px;height:10px;border:1px solid var(--line);background:linear-gradient(to right,var(--w0),var(--w16),var(--w32),var(--w48),var(--w63))}
.finding{border-top:1px solid var(--line);padding-top:10px;margin-top:10px}.finding p{margin:0 0 6px;max-width:none}.badge{display:inline-block;vertical-align:-3px;margin-right:6px}
.finding ul{list-style:none;margin:0 0 6px;padding:0;display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,360px),1fr));gap:2px 20px;font-size:13px}
.finding button{font:inherit;color:inherit;background:none;border:0;padding:2px 0;text-align:left;text-decoration:underline;text-underline-offset:3px;cursor:pointer;overflow-wrap:anywhere}code{font-family:${monoFont};font-size:12px;overflow-wrap:anywhere}
.curves{margin-top:24px}
.swatch{display:inline-block;width:10px;height:10px;border-radius:3px}${Array.from({ length: seriesColours }, (_, i) => `.b${i}{background:var(--s${i})}`).join('')}
[data-shown=linear] .scale.logarithmic,[data-shown=logarithmic] .scale.linear{display:none}
details{margin:10px 0}
summary{cursor:pointer;font-size:13px;color:var(--muted);width:fit-content;padding:2px 4px;border-radius:4px}
details.stack>summary{font-size:14px;color:var(--ink)}
.scroll{overflow-x:auto;max-width:100%}
details .scroll{max-height:420px;overflow:auto}
svg{display:block}
.side{display:flex;flex-wrap:wrap;gap:16px 48px;align-items:flex-start}
.map,.multiples{min-width:0;max-width:100%}
.chosen,.hint{margin:0 0 10px}
output{display:block;color:var(--muted);min-height:1.6em;margin-top:6px;font-size:13px;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.cell{outline:none;width:var(--side);height:var(--side)}.cell:hover,.cell:focus{stroke:var(--accent);stroke-width:2.5;paint-order:stroke}
.current{fill:var(--accent);font-weight:700}
[role=radio]{cursor:pointer;outline:none}[role=radio]:hover .room{stroke:var(--muted)}
[role=radio][aria-checked=true] .room{stroke:var(--accent);stroke-width:3.5}
[role=radio]:focus-visible .room{stroke:var(--ink);stroke-width:5}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,460px),1fr));gap:24px 40px}
.charts.small{grid-template-columns:repeat(auto-fill,minmax(min(100%,320px),1fr))}
figure{margin:0;min-width:0}
figcaption{font-size:14px;font-weight:600;margin-bottom:2px}
.plot svg{width:100%;height:auto;max-width:520px}
.plot:focus-visible,button:focus-visible,select:focus-visible,input:focus-visible,summary:focus-visible,a:focus-visible,.scroll:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.marker{stroke:none}.marker.on{stroke:var(--muted);stroke-dasharray:3 3}
.note{background:var(--raised);border-radius:8px;padding:12px 16px;margin:20px 0;font-size:14px}
@media (max-width:560px){main{padding:24px 16px 48px}h1{font-size:23px}.words,.words td{font-size:13px}}
@media print{details:not([open]){display:none}main{max-width:none}}
`;
