"""The style of the page: light and dark, by what the reader prefers."""

STYLE = """
:root{color-scheme:light dark;--bg:#fff;--fg:#1d2530;--dim:#5d6b7a;--rule:#d9dfe6;--card:#f6f8fa;
  --issued:#1f6feb;--withheld:#d9822b;--control:#8250df;--was:#57606a;--funnel:#2da44e}
@media(prefers-color-scheme:dark){:root{--bg:#11161c;--fg:#e6edf3;--dim:#9aa7b4;--rule:#2d3640;
  --card:#182029;--issued:#58a6ff;--withheld:#f0a04b;--control:#bc8cff;--was:#9aa7b4;
  --funnel:#3fb950}}
*{box-sizing:border-box}
body{margin:0 auto;padding:24px;max-width:960px;background:var(--bg);color:var(--fg);
  font:15px/1.5 system-ui,sans-serif}
h1{font-size:24px;margin:0 0 4px}
h2{font-size:19px;margin:36px 0 8px}
h3{font-size:16px;margin:24px 0 4px}
p{margin:4px 0 12px}
small,.dim{color:var(--dim)}
.cards{display:flex;flex-wrap:wrap;gap:12px;margin:16px 0}
.card{background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:10px 14px;
  min-width:130px}
.card b{display:block;font-size:22px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:14px;margin:8px 0 16px}
th,td{text-align:left;padding:5px 10px 5px 0;border-bottom:1px solid var(--rule);vertical-align:top}
th{color:var(--dim);font-weight:600}
td:first-child{white-space:nowrap}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
svg{width:100%;height:auto;display:block}
.grid{stroke:var(--rule)}
.tick{fill:var(--dim);font-size:11px}
.row{fill:var(--fg);font-size:12px}
.condition{font-family:ui-monospace,monospace}
.hover{fill:transparent}
.hover:hover{fill:var(--fg);fill-opacity:.06}
.line{fill:none;stroke-width:2}
.bar.issued,.mark.issued{fill:var(--issued)}
.bar.withheld,.mark.withheld{fill:var(--withheld)}
.bar.control,.mark.control{fill:var(--control)}
.bar.funnel{fill:var(--funnel)}
.mark.was{fill:var(--was)}
.line.issued{stroke:var(--issued)}
.line.withheld{stroke:var(--withheld)}
.line.control{stroke:var(--control)}
.line.was{stroke:var(--was);stroke-dasharray:5 4}
.legend{font-size:13px;color:var(--dim)}
.legend span{margin-right:16px}
.key{display:inline-block;width:10px;height:10px;border-radius:2px;margin-right:6px}
.key.issued{background:var(--issued)}
.key.withheld{background:var(--withheld)}
.key.control{background:var(--control)}
.key.was{background:var(--was)}
code{font-size:13px}
"""
