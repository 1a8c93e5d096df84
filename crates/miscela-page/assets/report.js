// The report of a model: the scatter that can be walked through, matrices on demand, diagnostics.

const report = Data.read('report');
const $ = id => document.getElementById(id);
const noun = report.mixture ? 'component' : 'cluster';

// Groups as the legend has them: shown one by one, then noise, then all others together.
const groups = report.ids.map((id, i) => ({ id, name: `${noun} ${id}`, rows: report.rows[i], share: report.shares[i] }));
if (report.noise) groups.push({ id: report.k, name: 'noise', plain: true });
if (report.others) groups.push({ id: null, name: `other ${noun}s`, plain: true });
const colourOf = group => group.plain ? Colours.of('dim') : Colours.area(group.id);
const nameOf = id => id === report.k ? 'noise' : `${noun} ${id}`;

// The rows that are drawn.
const axes = report.axes;
const drawn = {
  numbers: Data.unpack(report.drawn.numbers, Float64Array),
  names: report.drawn.names,
  labels: Data.unpack(report.drawn.labels, Uint16Array),
  ids: Data.unpack(report.drawn.true_labels, Uint32Array),
  places: Data.unpack(report.drawn.places, Float32Array),
  who: Data.unpack(report.drawn.who, Uint32Array),
  share: Data.unpack(report.drawn.share, Float32Array),
};
const count = drawn.numbers.length;
const value = (row, at) => axes[at].low + drawn.places[row * axes.length + at] * (axes[at].high - axes[at].low);
const centres = Data.unpack(report.centres, Float64Array);
const centre = (group, at) => centres[group * axes.length + at];
const triangle = axes.length * (axes.length + 1) / 2;
const covariances = report.covariances && Data.unpack(report.covariances, Float64Array);
const covariance = (group, i, j) => covariances[group * triangle + Math.max(i, j) * (Math.max(i, j) + 1) / 2 + Math.min(i, j)];

// What is shown now. `y` is −1 for the density along x.
const DENSITY = -1;
const MANY = 24;
const state = { x: report.first[0], y: report.first[1] ?? DENSITY, shown: new Set(), row: -1 };
groups.forEach((group, i) => { if (group.plain || group.rows > 0) state.shown.add(i); });

let panel = null;
// Where each row is on the canvas; null where it is not shown.
let spots = [];

// A number in a row, the same whenever it is asked for.
const jitter = row => { const x = Math.sin(row * 12.9898 + 4.1) * 43758.5453; return x - Math.floor(x); };

// ---- the scatter

function draw() {
  const canvas = $('plot');
  const height = Math.round(Math.min(560, Math.max(300, 0.72 * canvas.clientWidth)));
  const alone = state.y === DENSITY;
  const bars = alone ? histogram() : null;
  const y = alone ? { name: 'density', low: -0.16 * bars.top, high: 1.05 * bars.top } : axes[state.y];
  panel = new Panel(canvas, axes[state.x], y, height);
  if (alone) panel.y.ticks = panel.y.ticks.filter(tick => tick >= -1e-12 * bars.top);
  panel.frame();
  place(bars);
  panel.clipped(() => {
    if (alone) drawBars(bars); else drawDensity();
    drawPoints();
    if (alone) drawCurves(bars); else drawGroups();
  });
  label(canvas);
  mark();
}

function place(bars) {
  spots = Array.from({ length: count }, (_, row) => {
    const x = value(row, state.x);
    const y = bars ? -bars.top * (0.03 + 0.11 * jitter(row)) : value(row, state.y);
    return Number.isFinite(x) && Number.isFinite(y) && state.shown.has(drawn.labels[row]) ? panel.place(x, y) : null;
  });
}

// All rows by bin, as grey of several depths.
function drawDensity() {
  if (!$('density')?.checked) return;
  const [i, j] = [Math.min(state.x, state.y), Math.max(state.x, state.y)];
  if (i === j) return;
  const pair = i * axes.length - i * (i + 1) / 2 + j - i - 1;
  const bins = Data.unpack(report.density[pair], Uint8Array);
  const edge = (axis, bin) => axis.low + bin / report.bins * (axis.high - axis.low);
  for (let row = 0; row < report.bins; row++) {
    for (let column = 0; column < report.bins; column++) {
      const depth = bins[row * report.bins + column];
      if (depth === 0) continue;
      // Bins have the axis of the lower place across.
      const [x, y] = state.x === i ? [column, row] : [row, column];
      const [left, bottom] = panel.place(edge(axes[state.x], x), edge(axes[state.y], y)).map(Math.round);
      const [right, top] = panel.place(edge(axes[state.x], x + 1), edge(axes[state.y], y + 1)).map(Math.round);
      panel.context.fillStyle = Colours.density(0.06 + 0.5 * depth / 255);
      panel.context.fillRect(left, top, right - left, bottom - top);
    }
  }
}

// In the order of the rows, so that no group lies upon another.
function drawPoints() {
  const { context } = panel;
  const { radius, alpha } = panel.marker(count);
  context.globalAlpha = alpha;
  spots.forEach((spot, row) => {
    if (!spot) return;
    context.fillStyle = colourOf(groups[drawn.labels[row]]);
    panel.disc(spot[0], spot[1], radius);
    context.fill();
  });
  context.globalAlpha = 1;
}

const individuals = () => report.ids.map((_, i) => i).filter(i => state.shown.has(i));

function drawGroups() {
  const some = individuals();
  const radii = some.length > MANY ? [2] : [1, 2, 3];
  if (covariances) $('ellipses-are').textContent = `ellipses at ${some.length > MANY ? '2 σ' : '1, 2 and 3 σ'}`;
  if (covariances && $('ellipses').checked) {
    for (const i of some) {
      const [xx, xy, yy] = [[state.x, state.x], [state.x, state.y], [state.y, state.y]].map(at => covariance(i, ...at));
      const [x, y] = [centre(i, state.x), centre(i, state.y)];
      panel.ellipses([x, y], [[xx, xy], [xy, yy]], groups[i].id, radii);
    }
  }
  for (const i of some) panel.centre([centre(i, state.x), centre(i, state.y)], groups[i].id, some.length > MANY ? 3.5 : 5.5);
}

// ---- the density along one axis

// The rows that are drawn, by bin and group, so that the area of all is one.
function histogram() {
  const axis = axes[state.x];
  const n = Math.max(8, Math.min(60, Math.round(3 * Math.cbrt(count))));
  const width = (axis.high - axis.low) / n;
  const parts = groups.map(() => new Float64Array(n));
  const total = new Float64Array(n);
  for (let row = 0; row < count; row++) {
    const x = value(row, state.x);
    if (!Number.isFinite(x)) continue;
    const bin = Math.min(n - 1, Math.max(0, Math.floor((x - axis.low) / width)));
    parts[drawn.labels[row]][bin] += 1 / (count * width);
    total[bin] += 1 / (count * width);
  }
  const curves = covariances ? individuals().map(i => [i, curve(i)]) : [];
  const peak = Math.max(...total);
  const highest = Math.max(peak, ...curves.flatMap(([, points]) => points.map(point => point[1])));
  // Narrow components may reach beyond the frame and are cut.
  return { n, width, parts, curves, top: Math.min(highest, 1.6 * peak) || 1 };
}

// ln Γ by Stirling's series, from above.
function lnGamma(x) {
  return x < 8 ? lnGamma(x + 1) - Math.log(x) : (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * x) - 1 / (360 * x ** 3);
}

// The weighted density of a component along the axis: normal, or Student's t.
function curve(i) {
  const [axis, deviation] = [axes[state.x], Math.sqrt(covariance(i, state.x, state.x))];
  const nu = report.degrees?.[i];
  const form = nu
    ? z => Math.exp(lnGamma((nu + 1) / 2) - lnGamma(nu / 2) - 0.5 * Math.log(nu * Math.PI) - (nu + 1) / 2 * Math.log1p(z * z / nu))
    : z => Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
  return Array.from({ length: 301 }, (_, step) => {
    const x = axis.low + step / 300 * (axis.high - axis.low);
    return [x, groups[i].share / deviation * form((x - centre(i, state.x)) / deviation)];
  });
}

function drawBars({ n, width, parts }) {
  const base = new Float64Array(n);
  parts.forEach((heights, i) => {
    if (!state.shown.has(i)) return;
    panel.context.fillStyle = colourOf(groups[i]);
    panel.context.globalAlpha = 0.55;
    for (let bin = 0; bin < n; bin++) {
      if (heights[bin] === 0) continue;
      const [left, top] = panel.place(axes[state.x].low + bin * width, base[bin] + heights[bin]);
      const [right, bottom] = panel.place(axes[state.x].low + (bin + 1) * width, base[bin]);
      panel.context.fillRect(left, top, Math.max(1, right - left - 1), bottom - top);
      base[bin] += heights[bin];
    }
    panel.context.globalAlpha = 1;
  });
}

function drawCurves({ curves, top }) {
  for (const [i, points] of curves) panel.curve(points, Colours.line(groups[i].id));
  if (curves.length > 1) {
    const total = curves[0][1].map(([x], step) => [x, curves.reduce((sum, [, points]) => sum + points[step][1], 0)]);
    panel.curve(total, Colours.of('ink'), { width: 1, dash: [5, 4] });
  }
  for (const i of individuals()) {
    const x = centre(i, state.x);
    panel.curve([[x, 0], [x, 0.07 * top]], Colours.of('ground'), { width: 5 });
    panel.curve([[x, 0], [x, 0.07 * top]], Colours.line(groups[i].id), { width: 3 });
  }
}

// ---- one row

// Draws the mark of the chosen row above all else.
function mark() {
  const over = $('over');
  const ratio = window.devicePixelRatio || 1;
  [over.width, over.height] = [$('plot').width, $('plot').height];
  over.style.height = $('plot').style.height;
  const spot = spots[state.row];
  if (!spot) return;
  const context = over.getContext('2d');
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  for (const [radius, colour, width] of [[8, Colours.of('ground'), 5], [8, Colours.of('ink'), 2]]) {
    context.beginPath();
    context.arc(spot[0], spot[1], radius, 0, 2 * Math.PI);
    [context.strokeStyle, context.lineWidth] = [colour, width];
    context.stroke();
  }
}

function choose(row) {
  if (row === state.row) return;
  state.row = row;
  mark();
  readOut();
}

function bar(name, id, share, text) {
  const fill = element('i');
  fill.style.width = `${100 * Math.min(1, Math.max(0, share))}%`;
  fill.style.background = id === report.k ? 'var(--dim)' : `var(--c${id % Colours.count})`;
  return element('div', { class: 'share' }, element('span', {}, name), element('span', { class: 'track', 'aria-hidden': 'true' }, fill),
    element('span', {}, text));
}

// What is known of the chosen row.
function readOut() {
  const { row } = state;
  if (row < 0) {
    $('readout').replaceChildren(element('p', { class: 'dim' }, report.drawn.distances
      ? 'No row is chosen. The nearest centres of a row are shown here.'
      : 'No row is chosen. The probabilities of a row are shown here.'));
    return;
  }
  const id = drawn.ids[row];
  const { kept, distances } = report.drawn;
  const shares = Array.from({ length: kept }, (_, i) => [drawn.who[row * kept + i], drawn.share[row * kept + i]]);
  const furthest = Math.max(...shares.map(share => share[1])) || 1;
  const bars = shares
    .filter(([, share], i) => distances || i === 0 || share >= 5e-5)
    .map(([who, share]) => distances
      ? bar(nameOf(who), who, share / furthest, Numbers.text(share))
      : bar(nameOf(who), who, share, Numbers.percent(share)));
  const values = element('dl');
  axes.forEach((axis, at) => {
    if (!axis.column && at !== state.x && at !== state.y) return;
    // Places are kept to seven digits of the range.
    const x = Math.abs(value(row, at)) < 1e-7 * (axis.high - axis.low) ? 0 : value(row, at);
    values.append(element('dt', { title: axis.name }, axis.name), element('dd', {}, Numbers.text(x, 6)));
  });
  $('readout').replaceChildren(
    element('h3', {}, `${called(row)}, ${id === report.k ? 'noise' : `label ${id}`}`),
    element('p', { class: 'dim small' }, distances ? 'Distance to the nearest centres' : 'Probabilities'), ...bars, values);
}

// What a row is called: by its name, if it has one, and its number.
function called(row) {
  const number = `Row ${Numbers.count(drawn.numbers[row])}`;
  return drawn.names ? `${drawn.names[row]} (${number.toLowerCase()})` : number;
}

// The row that is drawn nearest to a place, if it is near.
function nearest(px, py, limit) {
  let [best, least] = [-1, limit * limit];
  spots.forEach((spot, row) => {
    if (!spot) return;
    const distance = (spot[0] - px) ** 2 + (spot[1] - py) ** 2;
    if (distance < least) [best, least] = [row, distance];
  });
  return best;
}

// The next row in a direction: near, and rather ahead than aside.
function next(dx, dy) {
  const from = spots[state.row];
  let [best, least] = [state.row, Infinity];
  spots.forEach((spot, row) => {
    if (!spot || row === state.row) return;
    const [x, y] = [spot[0] - from[0], spot[1] - from[1]];
    const ahead = x * dx + y * dy;
    const aside = Math.abs(x * dy - y * dx);
    if (ahead > 0.01 && aside <= ahead && ahead + 2 * aside < least) [best, least] = [row, ahead + 2 * aside];
  });
  return best;
}

// The next row of the table that is shown.
function along(step) {
  let row = state.row;
  do row += step; while (row >= 0 && row < count && !spots[row]);
  return row >= 0 && row < count ? row : state.row;
}

const KEYS = {
  ArrowLeft: () => next(-1, 0), ArrowRight: () => next(1, 0), ArrowUp: () => next(0, -1), ArrowDown: () => next(0, 1),
  PageDown: () => along(1), PageUp: () => along(-1),
  Home: () => spots.findIndex(Boolean), End: () => count - 1 - [...spots].reverse().findIndex(Boolean), Escape: () => -1,
};

function onKey(event) {
  if (!(event.key in KEYS) || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  const fresh = !spots[state.row] && event.key !== 'Escape';
  choose(fresh ? spots.findIndex(Boolean) : KEYS[event.key]());
}

// ---- controls

function label(canvas) {
  const y = state.y === DENSITY ? 'density' : axes[state.y].name;
  canvas.setAttribute('aria-label', `${count} rows, ${axes[state.x].name} across and ${y} up, ${state.shown.size} of ${groups.length} ${noun}s shown`);
}

function note() {
  const chosen = [state.x, state.y].filter(at => at !== DENSITY);
  const notes = chosen.map(at => axes[at]).filter(axis => axis.note).map(axis => `${axis.name.split(' (')[0]} = ${axis.note};`);
  const beyond = Math.max(...chosen.map(at => axes[at].beyond));
  if (beyond > 0) notes.push(`At least ${Numbers.count(beyond)} rows lie beyond the frame, which is that of the rows drawn.`);
  $('axes-note').textContent = notes.join(' ').replace(/;$/, '');
}

function fillSelects() {
  const options = () => axes.map((axis, at) => element('option', { value: at }, axis.name));
  $('x').replaceChildren(...options());
  $('y').replaceChildren(element('option', { value: DENSITY }, '– density –'), ...options());
  for (const id of ['x', 'y']) {
    $(id).value = state[id];
    $(id).addEventListener('change', () => {
      state[id] = Number($(id).value);
      note();
      draw();
    });
  }
}

function fillLegend() {
  const boxes = groups.map((group, i) => {
    const box = element('input', { type: 'checkbox', onchange: () => {
      state.shown[box.checked ? 'add' : 'delete'](i);
      draw();
    } });
    box.checked = state.shown.has(i);
    const dot = swatch(group.id ?? 0);
    if (group.plain) dot.style.background = 'var(--dim)';
    const name = group.plain ? group.name : String(group.id);
    $('legend').append(element('label', {}, box, dot, name));
    box.setAttribute('aria-label', group.name);
    return box;
  });
  for (const all of ['all', 'none']) {
    $(all).addEventListener('click', () => {
      boxes.forEach((box, i) => {
        box.checked = all === 'all';
        state.shown[box.checked ? 'add' : 'delete'](i);
      });
      draw();
    });
  }
}

// ---- matrices

function matrix() {
  const group = Number($('matrix-of').value);
  const kind = document.querySelector('input[name=matrix]:checked').value;
  const columns = axes.map((_, at) => at).filter(at => axes[at].column);
  const entry = (i, j) => kind === 'covariance' ? covariance(group, i, j)
    : covariance(group, i, j) / Math.sqrt(covariance(group, i, i) * covariance(group, j, j));
  const cell = (i, j) => {
    const made = element('td', {}, kind === 'covariance' ? Numbers.text(entry(i, j)) : entry(i, j).toFixed(2).replace('-', '−'));
    if (kind === 'correlation' && i !== j) made.style.background = `rgba(var(--density), ${0.4 * Math.abs(entry(i, j))})`;
    return made;
  };
  const head = element('tr', {}, element('td'), ...columns.map(j => element('th', { scope: 'col' }, axes[j].name)));
  const rows = columns.map(i => element('tr', {}, element('th', { scope: 'row' }, axes[i].name), ...columns.map(j => cell(i, j))));
  $('matrix').replaceChildren(element('table', {},
    element('caption', { class: 'unseen' }, `${kind} of ${groups[group].name}`),
    element('thead', {}, head), element('tbody', {}, ...rows)));
}

function fillMatrices() {
  if (!$('matrices')) return;
  $('matrix-of').replaceChildren(...report.ids.map((id, i) => element('option', { value: i }, String(id))));
  $('matrix-of').addEventListener('change', matrix);
  document.querySelectorAll('input[name=matrix]').forEach(choice => choice.addEventListener('change', matrix));
  $('matrices').addEventListener('toggle', matrix, { once: true });
}

// ---- diagnostics

const padded = (low, high) => ({ low: low - 0.06 * (high - low), high: high + 0.06 * (high - low) });

function drawTrace() {
  const { at, values, name } = report.trace;
  const range = padded(Math.min(...values), Math.max(...values));
  const panel = new Panel($('trace'), { name: 'iteration', low: 1, high: at[at.length - 1] }, { name, ...range }, 240);
  panel.x.ticks = panel.x.ticks.filter(Number.isInteger);
  panel.x.decimals = 0;
  panel.frame();
  panel.curve(at.map((x, i) => [x, values[i]]), Colours.of('accent'));
  panel.context.fillStyle = Colours.of('accent');
  if (at.length <= 60) {
    for (const [i, x] of at.entries()) {
      panel.disc(...panel.place(x, values[i]), 2.6);
      panel.context.fill();
    }
  }
}

function drawDoubts() {
  const bars = report.doubts;
  const most = Math.log10(Math.max(10, ...bars));
  // Half a row would be below the frame: one row is a bar that can be seen.
  const panel = new Panel($('doubts'), { name: 'uncertainty', low: 0, high: 1 }, { name: 'rows', low: -0.3, high: 1.08 * most, decades: true }, 240);
  panel.y.ticks = panel.y.ticks.filter(tick => tick >= 0);
  panel.frame();
  panel.context.fillStyle = Colours.of('accent');
  bars.forEach((rows, i) => {
    if (rows === 0) return;
    const [left, top] = panel.place(i / bars.length, Math.log10(rows));
    const [right, bottom] = panel.place((i + 1) / bars.length, -0.3);
    panel.context.fillRect(left + 0.5, top, right - left - 1, bottom - top);
  });
}

// ---- all together

fillSelects();
fillLegend();
fillMatrices();
note();
readOut();
if (covariances) {
  $('ellipses').checked = report.ids.length <= MANY;
  $('ellipses').addEventListener('change', draw);
}
$('density')?.addEventListener('change', draw);
const plot = $('plot');
plot.addEventListener('pointermove', event => {
  const row = nearest(...panel.pointer(event), 14);
  if (row >= 0) choose(row);
});
plot.addEventListener('pointerdown', event => choose(nearest(...panel.pointer(event), 24)));
plot.addEventListener('keydown', onKey);
plot.addEventListener('focus', () => { if (!spots[state.row] && plot.matches(':focus-visible')) choose(spots.findIndex(Boolean)); });
keepDrawn(plot, draw);
if ($('trace')) keepDrawn($('trace'), drawTrace);
if ($('doubts')) keepDrawn($('doubts'), drawDoubts);
