/** @file The style sheet of pages: light, dark, on a phone and on paper. */
import { chartCss } from "../charts/theme.ts";

/** The whole style sheet, charts included. */
export function pageCss(): string {
  return `${layoutCss}\n${chartCss()}\n`;
}

const layoutCss = `
:root{color-scheme:light dark;--paper:#fff;--raised:#f6f8fa;--ink:#1c2126;--faint:#59636e;--rule:#dfe3e8;--link:#0a5aa0;--good:#12714f;--bad:#b3261e;--unsure:#7a5200}
@media screen and (prefers-color-scheme:dark){:root{--paper:#14181d;--raised:#1c2229;--ink:#e8ebee;--faint:#a3adb8;--rule:#313840;--link:#7fc0f7;--good:#56d0a2;--bad:#ff8a80;--unsure:#e2b64f}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:78rem;padding:1.5rem clamp(.9rem,4vw,2.5rem) 4rem;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif;overflow-wrap:break-word}
h1{font-size:1.9rem;line-height:1.2;margin:.5rem 0 .75rem}
h2{font-size:1.35rem;line-height:1.25;margin:2.75rem 0 .75rem;padding-top:.75rem;border-top:1px solid var(--rule)}
h3{font-size:1.1rem;margin:1.75rem 0 .5rem}
h4{font-size:1rem;margin:1.25rem 0 .5rem}
p,ul,dl,figcaption,.lead{max-width:48rem}
p,ul,dl{margin:.75rem 0}
.lead{font-size:1.1rem;color:var(--faint);margin:0 0 1.25rem}
a{color:var(--link)}
a:focus-visible,button:focus-visible,summary:focus-visible,.scroll:focus-visible{outline:2px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-999rem}
.skip:focus{position:static}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;list-style:none;padding:0;max-width:none}
code,pre{font:.875em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
code{overflow-wrap:anywhere}
pre{margin:.75rem 0;padding:.75rem 1rem;background:var(--raised);border-radius:6px}
.scroll{overflow-x:auto;max-width:100%;margin:.25rem 0 1rem}
figure .scroll{margin:0}
table{border-collapse:collapse;font-size:.9rem;width:max-content}
th,td{max-width:18rem}
.caption{color:var(--faint);font-size:.9rem;margin:1.25rem 0 .25rem}
th,td{padding:.3rem .7rem;text-align:left;vertical-align:baseline;border-bottom:1px solid var(--rule)}
thead :is(th,td){vertical-align:bottom;border-bottom:2px solid var(--rule)}
tbody th{font-weight:500;background:var(--paper);position:sticky;left:0}
.num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
tbody tr:hover>*{box-shadow:inset 0 -1px 0 var(--faint)}
th button{all:unset;cursor:pointer;border-radius:2px}
th button::after{content:"\\2195";color:var(--faint);padding-left:.3em;font-weight:400}
th[aria-sort=ascending] button::after{content:"\\2191";color:inherit}
th[aria-sort=descending] button::after{content:"\\2193";color:inherit}
dl{display:grid;grid-template-columns:minmax(8rem,max-content) 1fr;gap:.3rem 1.25rem}
dt{color:var(--faint)}
dd{margin:0;min-width:0;overflow-wrap:anywhere}
.verdict{border-left:5px solid var(--faint);background:var(--raised);padding:.85rem 1.1rem;border-radius:0 6px 6px 0;margin:1rem 0;max-width:48rem}
.verdict b{display:block;font-size:1.2rem}
.badge{display:inline-block;border:1px solid currentColor;border-radius:1em;padding:0 .55em;font-size:.85em;font-weight:600;white-space:nowrap}
.good{color:var(--good)}.bad{color:var(--bad)}.unsure{color:var(--unsure)}
.verdict.good,.verdict.bad,.verdict.unsure{color:inherit}
.verdict.good{border-color:var(--good)}.verdict.bad{border-color:var(--bad)}.verdict.unsure{border-color:var(--unsure)}
.verdict.good b{color:var(--good)}.verdict.bad b{color:var(--bad)}.verdict.unsure b{color:var(--unsure)}
details{margin:.75rem 0}
summary{cursor:pointer;color:var(--link);padding:.2rem 0}
figure{margin:1.25rem 0}
figcaption{color:var(--faint);font-size:.9rem;margin-top:.25rem}
.chart{display:block;max-width:100%;height:auto}
.wide .chart{min-width:36rem}
.pictures td,.pictures thead th{text-align:center}
.pictures :is(td,th){vertical-align:middle}.pictures :is(td,thead th){max-width:none}
.pictures img{display:inline-block;image-rendering:pixelated;background:var(--raised);max-width:none}
footer{margin-top:3rem;padding-top:.75rem;border-top:1px solid var(--rule);color:var(--faint);font-size:.9rem}
@media(max-width:40rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}h1{font-size:1.5rem}tbody th{max-width:40vw}td{max-width:60vw}}
@media print{body{max-width:none;padding:0;font-size:11pt}nav,.skip{display:none}.scroll{overflow:visible}figure,tr,.verdict{break-inside:avoid}h2,h3,h4{break-after:avoid}a{color:inherit}table{width:auto;font-size:8pt}th,td{padding:.2rem .35rem}.num{white-space:normal}.wide .chart{min-width:0}details::details-content{content-visibility:visible;block-size:auto}th button::after{content:""}}
`;
