// Crossings of Liquid: the templates and the kinds of values whose crossings scripts/record-vectors records: each template is run with
// each kind as `v`; `k` holds every kind by its name, `n` and `s` a number and a text.
export const KINDS = {
  integer: 14575, zero: 0, negative: -7.5, half: 2.5, amount: 145.75, large: 1e21, small: 1e-7,
  word: 'AB12', sentence: '  the Quick brown-fox jumps  ', decimal: '145.75', trailing: '12.50', digits: '1718703012',
  empty: '', blank: ' \t ', lines: 'one\r\ntwo\rthree\nfour', html: '<p class="x">Tom & \'Jerry\'</p> &amp; <!-- a --> <b',
  unicode: 'Zürich 😀 straße Œuvre', percent: 'a%20b+c&d=ü/?', commas: 'a,b,,c,,', cjk: '東京タワー visit',
  date: '2026-03-04T05:06:07.089Z', day: '2026-03-04', english: 'March 14, 2026 5:06 PM', mail: 'Wed, 04 Mar 2026 05:06:07 +0130',
  yes: true, no: false, null: null, missing: undefined,
  list: [3, 'b', null, 1.50, true], nested: [[1, [2, null]], ['x']], nothing: [], objects: [{ a: 1, b: 'x' }, { a: '2.5' }, { b: 'x' }],
  object: { a: 1, b: { c: 'deep' }, 'x y': 2, 0: 'zero' }, bare: {}, sized: { size: 9, first: 'f', last: 'l', length: 2 }
}

const ARGUMENTS = {
  abs: [''], append: [': "x"', ': n', ': k.null', ': k.missing', ': k.yes', ': k.list', ': k.object', ': 1.50', ''],
  at_least: [': 5', ': "200"', ': k.null', ''], at_most: [': 5', ': "200"', ': k.word'],
  base64_decode: [''], base64_encode: [''], capitalize: [''], ceil: [''], cgi_escape: [''], compact: [' | json'],
  date: ['', ': "%Y-%m-%d %H:%M:%S"', ': "%a %A %b %B %C %d %e %h %H %I %j %k %l %L %m %M %N %p %P %q %s %S"',
    ': "%u %U %w %W %y %Z %z %:z %% %n%t %-d %_d %05d %^a %#p %3N %10Y %Q %Ey %-y"', ': "%H:%M", 90', ': "%H:%M %z %Z", "America/New_York"',
    ': k.null', ': k.list', ': ""'],
  date_to_xmlschema: [''], date_to_rfc822: [''], date_to_string: ['', ': "ordinal"', ': "ordinal", "US"'],
  date_to_long_string: ['', ': "ordinal"', ': "ordinal", "US"'],
  default: [': "d"', ': "d", allow_false: true', ': k.null', ': 0', ''], divided_by: [': 100', ': "3"', ': 0', ': -2', ': 2, true', ''],
  downcase: [''], escape: [''], escape_once: [''], first: ['', ' | json'], floor: [''], hmac_sha256: [': "key"', ''], inspect: [''],
  join: ['', ': ","', ': k.null', ': k.yes', ': 1'], json: [''], jsonify: [''], last: ['', ' | json'], lstrip: ['', ': " t"', ': "A<1"'],
  minus: [': 0.1', ': "5"', ': k.null', ''], modulo: [': 3', ': 0', ': -2', ': 2.5'], normalize_whitespace: [''],
  number_of_words: ['', ': "cjk"', ': "auto"'], plus: [': 0.2', ': "3"', ': k.missing', ': k.yes', ''], pop: [' | json'],
  prepend: [': "x"', ': k.null', ': k.no', ': 2.0'], push: [': "z" | json', ': k.null | json', ': k.list | json'], raw: [''],
  remove: [': "1"', ': ""', ': k.missing', ': "e"'], remove_first: [': "1"', ': ""', ': "e"'], remove_last: [': "1"', ': ""', ': "e"'],
  replace: [': "1", "-"', ': "", "-"', ': "e", k.null', ': ".", ","', ': "b"', ': "e", "$&"'],
  replace_first: [': "1", "-"', ': "", "-"', ': "e", "$&"'], replace_last: [': "1", "-"', ': "", "-"', ': "e", "$&"'],
  round: ['', ': 1', ': 2', ': -2', ': "1"', ': k.null'], rstrip: ['', ': " x"', ': "0>5"'], sha256: [''], shift: [' | json'],
  size: [''], slice: [': 0', ': 1, 2', ': -2', ': -3, 2', ': "1", 2', ': 2, -1', ': 99', ': -99', ': 1, "2"', ': k.null, 3', ': 0.9, 1.9', ''],
  slugify: ['', ': "raw"', ': "pretty"', ': "ascii"', ': "latin"', ': "none"', ': "default", true'],
  split: [': "," | json', ': "" | json', ': " " | json', ' | json', ': "1" | json', ': k.null | json'], strip: ['', ': " t"', ': "A2<"'],
  strip_html: [''], strip_newlines: [''], sum: ['', ': "a"', ': "b.c"'], times: [': 3', ': 0.1', ': "2"', ': k.word'], to_integer: [''],
  truncate: ['', ': 5', ': 5, ""', ': 4, "é…"', ': 0', ': 2', ': "6"', ': k.null', ': 6, 1', ': 7.9'],
  truncatewords: ['', ': 2', ': 2, "--"', ': 0', ': -1', ': 1, ""', ': 4'], unshift: [': "z" | json', ': k.null | json'],
  upcase: [''], uri_escape: [''], url_decode: [''], url_encode: [''],
  where: [': "a" | json', ': "a", 1 | json', ': "b", "x" | json', ': "b", k.null | json', ': "a", null | json', ': "size" | json', ': "" | json'],
  xml_escape: [''], nosuchfilter: ['', ': 1']
}

const OPERATORS = ['==', '!=', '<', '<=', '>', '>=', 'contains']
const OPERANDS = [
  'n', 's', 'k.zero', 'k.word', 'k.decimal', 'k.empty', 'k.yes', 'k.no', 'k.null', 'k.missing', 'k.list', 'k.nothing', 'k.object', 'k.bare',
  'null', 'blank', 'empty', 'true', 'false', '1', '"1"', '100', '"100"', '"A"', '-7.5', '(1..3)'
]

const PATHS = [
  '', '.size', '.first', '.last', '.length', '.a', '.b.c', '["x y"]', '[0]', '[1]', '[-1]', '["0"]', '[1.5]', '[k.zero]', '[k.missing]', '[k.null]',
  '.first.a', '[0][1]', '.a.b', '.size.size', '.b.size', '.A'
]

const TEMPLATES = [
  '{% if v %}yes{% else %}no{% endif %}', '{% unless v %}yes{% else %}no{% endunless %}', '{% if v and k.yes %}y{% else %}n{% endif %}',
  '{% if v or k.no %}y{% else %}n{% endif %}', '{{ v and k.word }}', '{{ not v }}', '{{ v == v }}', '{{ v != v }}',
  '{{ not v == k.word }}', '{{ v == 1 or v == 2 and k.no }}', '{{ k.yes or v and k.no }}', '{{ v > 1 and v < 100 or v == "AB12" }}',
  '{{ 1 == v == 1 }}', '{{ not not v }}', '{% if v == k.no %}1{% elsif v == k.null %}2{% elsif v %}3{% else %}4{% endif %}',
  '{% unless v %}1{% elsif v == 0 %}2{% else %}3{% endunless %}', '{% assign w = v %}{{ w }}{{ w.size }}',
  '{% assign w = v | default: "d" | append: "!" %}[{{ w }}]', '{% capture w %}<{{ v }}>{% endcapture %}{{ w | size }}{{ w }}',
  '{% echo v %}', '{% echo v | upcase %}', '{% echo %}', '{%- if v -%}  x  {%- endif -%}  y', '  {{- v -}}  z', '{{- v }} \r\n {{ v -}} \n',
  '{% raw %}{{ v }}{% endraw %}', 'a{% comment %}{{ v }}{% endcomment %}b', '{% # a comment %}{{ v }}', '{% increment v %}{% increment v %}{{ v }}',
  '{% decrement v %}{% decrement v %}{{ v }}', '{% increment x %}{% decrement x %}{{ x }}', '{% assign x = v %}{% increment x %}{{ x }}',
  '{% cycle v, "b" %}{% cycle v, "b" %}{% cycle v, "b" %}', '{% cycle v: 1, 2 %}{% cycle "g": 1, 2 %}{% cycle v: 1, 2 %}',
  '{% liquid assign w = v\necho w\nif v\n  echo "!"\nendif %}', '{% liquid\n# note\n  echo v | size\n\n%}.', 'x{{ v }}{% break %}y', 'x{% if v %}{% continue %}{% endif %}y',
  '{{ (1..3) | join: "-" }}{{ (1..3).size }}{{ (1..3).last }}', '{{ (1..v) | size }}', '{{ (v..3) | join }}', '{{ "AB12"[0] }}{{ "AB12"[-1] }}{{ "AB12".size }}{{ "AB12".length }}',
  "{{ 'it''s' }}", '{{ "a\\"b\\n\\u0041\\x" }}', '{{ size }}{{ v.size }}', '{{ ["v"] }}', '{{ k["word"] }}', '{{ k[s] }}', '{{ 1.0 }} {{ -0 }} {{ 1e3 }} {{ .5 }}', '{{ 1. }} {{ +2 }} {{ 007 }}',
  '{{ true }}{{ false }}{{ nil }}{{ empty }}{{ blank }}', '{{ v | upcase | append: "x" | size }}', '{{ v | plus: 1 | times: 2 | divided_by: 4 | round: 1 }}',
  '{{ v | split: "" | join: "" }}', '{{ v | split: "" | last | json }}', '{{ v | slice: 0, 1 | append: "|" }}', '{{ null | date }}', '{{ nil | append: "x" }}{{ empty | size }}{{ blank | json }}',
  '{{ v | date: "%s" | plus: 1 }}', '{{ v | json | json }}', '{{ v | json | size }}', '{{ v | join | size }}', '{{ v | nosuchfilter | upcase }}', '{{ v | }}', '{{ v|append:"x"|size }}',
  // What liquidjs refuses, or what Segment switches off.
  '{{ v', '{% if v %}', '{% nosuchtag %}', '{{ }}', '{{ | upcase }}', '{% assign x v %}', '{% assign = v %}', '{{ v | append "x" }}', '{{ v upcase }}', '{% if %}{% endif %}',
  '{{ v | upcase ; }}', '{{ v.}}', '{{ v[ }}', '{{ (1..v }}', '{{ "unclosed }}', '{% raw %}x', '{% comment %}x', '{% endif %}', '{% else %}', '{% if v %}{% else %}{% else %}{% endif %}', '{% %}', '{{ v | : 1 }}',
  '{% for x in v %}{{ x }}{% endfor %}', '{{ v | map: "a" }}', '{{ v | sort }}', '{{ v | url_decode }}', '{{ "%E0" | url_decode }}', '{{ "%zz" | url_decode }}', '{{ v | date: "%Y", "No/Zone" }}'
]

// Texts that V8 takes for dates, or nearly.
const DATES = [
  '2026', '2026-03', '2026-3-4', '2026-03-04', '2026-02-31', '2026-13-01', '+002026-03-04', '2026-03-04T05', '2026-03-04T05:06',
  '2026-03-04T05:06:07', '2026-03-04T05:06:07z', '2026-03-04T05:06:07.1', '2026-03-04T05:06:07.123456Z', '2026-03-04T05:06:07+0130',
  '2026-03-04T05:06:07+01:30', '2026-03-04T05:06:07 Z', '2026-03-04T24:00:00Z', '2026-03-04T24:00:01Z', '2026-03-04T05:60:00Z',
  '2026-03-04 05:06:07', '2026-03-04 05:06:07.5', '2026-03-04 05:06:07Z', '2026-03-04 05:06:07 UTC', '2026-03-04 05:06:07 +0100',
  '2026/03/04', '2026/03/04 05:06', '3/4/2026', '03/04/2026 5:06 PM', '3/4/26', '3/4/49', '3/4/50', '4.3.2026', '04.03.2026 10:00',
  '4 March 2026', '4 Mar 2026 05:06', '04-Mar-2026', 'March 4, 2026', 'Mar 4, 2026 5:06 pm', 'March 4th, 2026', 'May 5', 'March', '10:30',
  'Wed, 04 Mar 2026 05:06:07 GMT', 'Wed Mar 04 2026 05:06:07 GMT+0100 (CET)', 'Wed, 04 Mar 2026 05:06:07 EST', 'Wednesday, March 4, 2026',
  '31 Feb 2026', '2026-03-04 12:00 am', '2026-03-04 12:00 pm', '2026-03-04 13:00 pm', 'order 15', 'order 15 soon', 'order15', 'soon', '(1) 2026',
  '12345678 x', '20260304', '20260304T050607Z', ' 2026-03-04 ', '2026-03-04, 05:06', '1/2/3/4', '-5', '1e3', '2026-03-04T05:06:07-'
]

export const CROSSINGS = [
  ...Object.entries(ARGUMENTS).flatMap(([name, all]) => all.map((argument) => `{{ v | ${name}${argument} }}`)),
  ...OPERANDS.flatMap((operand) => OPERATORS.map((operator) => `{{ v ${operator} ${operand} }}`)),
  ...OPERANDS.flatMap((operand) => ['==', '<', 'contains'].map((operator) => `{{ ${operand} ${operator} v }}`)),
  ...PATHS.map((path) => `{{ v${path} }}`), ...PATHS.map((path) => `{{ v${path} | json }}`), ...TEMPLATES,
  ...DATES.map((date) => `{{ "${date}" | date: "%Y-%m-%dT%H:%M:%S.%L" }}`)
]
// A template without the value is run once.
export const kindsOf = (template) => (/\bv\b/.test(template) ? Object.keys(KINDS) : ['missing'])
export const PAYLOAD = { k: KINDS, n: 100, s: 'word' }
