'use strict';
// The page of `miscela play`. What it shows is computed by the engine: by the server the page came from, step by step, or
// beforehand, for a page that is one file. It draws, and counts equal labels.

const config = Data.read('config');
const at = id => document.getElementById(id);

// The engine behind a server. Each method is one request; a refusal is thrown with its sentence.
const served = {
  async ask(step, question) {
    const response = await fetch(step, { method: 'POST', body: JSON.stringify(question) }).catch(() => {
      throw new Error('The server does not answer; start miscela play again.');
    });
    if (!response.ok) throw new Error((await response.text()).trim());
    return response.json();
  },
  start(points, start) { return this.ask('start', { points, start }); },
  begin(points, centres, place) { return this.ask('begin', { points, centres, settings: settingsAt(place) }); },
  expect(points, { parameters }, place) { return this.ask('expect', { points, parameters, settings: settingsAt(place) }); },
  maximise(points, { parameters }, place) { return this.ask('maximise', { points, parameters, settings: settingsAt(place) }); },
  run(points, centres, place) { return this.ask('run', { points, centres, settings: settingsAt(place) }); },
};

// The same from a record of all stations; of long runs it has some iterations only.
const recorded = record => ({
  at: ({ shape, assigned }) => record.runs[shape][assigned],
  async start() { return { centres: [], k_means: record.k_means }; },
  async begin(points, centres, place) { return this.at(place).frames[0]; },
  async expect(points, frame) { return { shares: frame.shares }; },
  async maximise(points, frame, place) {
    const { frames, settled } = this.at(place);
    const next = Math.min(frames.findIndex(kept => kept.iteration === frame.iteration) + 1, frames.length - 1);
    return { ...frames[next], settled: settled && next === frames.length - 1 };
  },
  async run(points, centres, place) {
    const { frames, settled } = this.at(place);
    return { frames, settled, shares: frames.at(-1).shares };
  },
});

const record = at('record') ? Data.read('record') : null;
const engine = record ? recorded(record) : served;

// What is shown. `frames` are the parameters after each iteration, `frame` the one that is shown; `shares` are those of frame
// number `sharedAt`, which after an M-step is the one before.
const state = {
  points: [], axes: ['x', 'y'], view: null, own: false,
  centres: [], kMeans: null,
  place: { shape: 0, assigned: 0 },
  frames: [], frame: 0, shares: null, sharedAt: -1, settled: false, running: false,
  tool: null, cursor: null,
};
window.miscela = state; // for whoever looks behind the page

function settingsAt({ shape, assigned }) {
  const { covariance, weights, variance } = config.path.shapes[shape];
  return { covariance, weights, variance, temperature: config.path.assigned[assigned].temperature };
}

// Shares as the engine writes them: a small letter is a whole row, a capital is followed by the shares of the others.
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_';
function unpackShares(text, k) {
  const rows = [];
  for (let i = 0; i < text.length;) {
    const letter = text.charCodeAt(i++);
    const whole = letter >= 97;
    const label = letter - (whole ? 97 : 65);
    const row = new Array(k).fill(0);
    let left = 1;
    for (let c = 0; !whole && c < k; c++) {
      if (c === label) continue;
      row[c] = DIGITS.indexOf(text[i++]) / 63;
      left -= row[c];
    }
    row[label] = Math.max(left, 0);
    rows.push({ label, row });
  }
  return rows;
}

// What is done is done one after the other; what goes wrong is said, and ends a run.
let queue = Promise.resolve();
let waiting = 0;
function act(work) {
  waiting++;
  queue = queue.then(work).then(() => problem(null), error => {
    state.running = false;
    problem(error.message);
  }).finally(() => { waiting--; show(); });
  return queue;
}
function problem(sentence) {
  at('problem').hidden = !sentence;
  at('problem').textContent = sentence ? sentence[0].toUpperCase() + sentence.slice(1).replace(/\.?$/, '.') : '';
}

const kAsked = () => Math.max(1, Math.min(config.max_k, Math.round(Number(at('k').value)) || 1));
const seedAsked = () => Math.max(0, Math.round(Number(at('seed').value)) || 0);

// Finds centres to start from, and goes to the start of the place.
async function startAnew() {
  Object.assign(state, { frames: [], frame: 0, shares: null, sharedAt: -1, settled: false, kMeans: null, running: false });
  if (!record && state.points.length < kAsked()) return;
  const start = record ? config.start : { k: kAsked(), init: at('init').value, seed: seedAsked() };
  const { centres, k_means } = await engine.start(state.points, start);
  Object.assign(state, { centres, kMeans: k_means });
  await toStart();
}
async function toStart() {
  if (!state.kMeans) return;
  const frame = await engine.begin(state.points, state.centres, state.place);
  Object.assign(state, { frames: [frame], frame: 0, shares: null, sharedAt: -1, settled: false });
}
async function toEnd() {
  if (!state.kMeans) return;
  const { frames, settled, shares } = await engine.run(state.points, state.centres, state.place);
  Object.assign(state, { frames, settled, frame: frames.length - 1 });
  take(shares);
}
function take(shares) {
  state.shares = unpackShares(shares, state.frames[0].parameters.weights.length);
  state.sharedAt = state.frame;
}
async function expect() {
  if (!state.frames.length) return;
  take((await engine.expect(state.points, state.frames[state.frame], state.place)).shares);
}
async function maximise() {
  if (!state.frames.length) return;
  if (state.sharedAt !== state.frame) return expect();
  if (state.frame + 1 < state.frames.length) {
    state.frame++;
    return;
  }
  const { settled, ...frame } = await engine.maximise(state.points, state.frames[state.frame], state.place);
  state.settled = settled;
  if (record && frame.iteration === state.frames[state.frame].iteration) return;
  state.frames.push(frame);
  state.frame++;
}
async function goTo(frame) {
  state.frame = Math.max(0, Math.min(frame, state.frames.length - 1));
  await expect();
}
const iterationOf = i => state.frames[i]?.iteration ?? i;
const atEnd = () => state.settled && state.frame === state.frames.length - 1 && state.sharedAt === state.frame;

// Plays E-steps and M-steps until nothing moves.
async function play() {
  if (!state.running) return;
  if (atEnd()) {
    state.running = false;
    return;
  }
  await (state.sharedAt === state.frame ? maximise() : expect());
  setTimeout(() => state.running && act(play), 350);
}

// Sliders may move faster than the engine: only the last place counts.
let moved = false;
function move() {
  state.place = { shape: Number(at('shape').value), assigned: Number(at('assigned').value) };
  state.running = false;
  moved = true;
  act(async () => {
    if (!moved) return;
    moved = false;
    await toEnd();
  });
  showPlace();
}

// --- Points ---

function choose(set) {
  Object.assign(state, { points: set.rows.slice(), axes: set.axes, view: viewOf(set.rows), own: false });
  act(startAnew);
}
function viewOf(rows) {
  const [lows, highs] = rows.length > 1 ? [[Infinity, Infinity], [-Infinity, -Infinity]] : [[-2.5, -2.5], [2.5, 2.5]];
  for (const row of rows) {
    for (const j of [0, 1]) {
      lows[j] = Math.min(lows[j], row[j] - 0.3);
      highs[j] = Math.max(highs[j], row[j] + 0.3);
    }
  }
  return { lows, highs };
}
function put(x, y) {
  if (state.points.length >= config.max_points) return;
  const { low: left, high: right } = plane.x, { low, high } = plane.y;
  const round = z => Math.round(z * 1e4) / 1e4;
  state.points.push([round(Math.max(left, Math.min(right, x))), round(Math.max(low, Math.min(high, y)))]);
  state.own = true;
  state.shares = null;
  state.sharedAt = -1;
}
function normal() {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}
function spray([x, y], n = 4) {
  for (let i = 0; i < n; i++) put(x + 0.28 * normal(), y + 0.28 * normal());
}
function useTool(tool) {
  state.tool = state.tool === tool ? null : tool;
  state.cursor = null;
  for (const name of ['pen', 'spray']) at(name).setAttribute('aria-pressed', String(state.tool === name));
  at('plane').classList.toggle('drawing', state.tool !== null);
  showHelp();
  drawPlane();
}

// --- Drawing ---

let plane = null;
function rgb(component) {
  const hex = Colours.area(component).replace('#', '');
  return [0, 2, 4].map(i => parseInt(hex.slice(i, i + 2), 16));
}
function mixed(row, colours) {
  const parts = [0, 1, 2].map(j => Math.round(row.reduce((sum, share, c) => sum + share * colours[c][j], 0)));
  return `rgb(${parts.join(', ')})`;
}
// A panel whose units are as long in both directions.
function planePanel() {
  const canvas = at('plane');
  const { lows, highs } = state.view;
  const height = Math.round(Math.max(280, Math.min(620, canvas.clientWidth * 0.82, window.innerHeight * 0.8)));
  const ranges = (x, y) => [{ name: state.axes[0], low: x[0], high: x[1] }, { name: state.axes[1], low: y[0], high: y[1] }];
  const { area } = new Panel(canvas, ...ranges([lows[0], highs[0]], [lows[1], highs[1]]), height);
  const unit = Math.max((highs[0] - lows[0]) / area.width, (highs[1] - lows[1]) / area.height);
  const [x, y] = [[0, area.width], [1, area.height]].map(([j, length]) => {
    const middle = (lows[j] + highs[j]) / 2;
    return [middle - unit * length / 2, middle + unit * length / 2];
  });
  return new Panel(canvas, ...ranges(x, y), height);
}
const differs = i => state.shares && state.kMeans && state.shares[i]?.label !== state.kMeans.labels[i];

function drawPlane() {
  if (!state.view) return;
  plane = planePanel();
  plane.frame();
  const frame = state.frames[state.frame];
  const colours = frame ? frame.parameters.weights.map((_, c) => rgb(c)) : [];
  const radius = Math.max(2.2, Math.min(4.2, 60 / Math.sqrt(state.points.length + 1))) * (plane.width < 450 ? 0.8 : 1);
  plane.clipped(context => {
    state.points.forEach((point, i) => {
      const [px, py] = plane.place(...point);
      const shared = state.shares?.[i];
      context.fillStyle = shared ? mixed(shared.row, colours) : Colours.of('dim');
      context.globalAlpha = shared ? 0.9 : 0.55;
      plane.disc(px, py, radius);
      context.fill();
      if (differs(i)) {
        context.globalAlpha = 1;
        context.strokeStyle = Colours.of('ink');
        context.lineWidth = 1.2;
        plane.disc(px, py, radius + 2.2);
        context.stroke();
      }
    });
    context.globalAlpha = 1;
    if (!frame) return;
    const { means, covariances } = frame.parameters;
    means.forEach((mean, c) => plane.ellipses(mean, covariances[c], c, [1, 2]));
    means.forEach((mean, c) => plane.centre(mean, c));
  });
  if (state.cursor) drawCursor();
}
function drawCursor() {
  const { context } = plane;
  const [px, py] = plane.place(...state.cursor);
  context.strokeStyle = Colours.of('ink');
  context.lineWidth = 1.5;
  context.beginPath();
  for (const [dx, dy] of [[1, 0], [0, 1]]) {
    context.moveTo(px - 9 * dx, py - 9 * dy);
    context.lineTo(px + 9 * dx, py + 9 * dy);
  }
  context.stroke();
}
// One objective by iteration, with a mark where we are, and another curve to compare with.
function drawTrace(id, name, of, other = []) {
  const data = state.frames.map((frame, i) => [iterationOf(i), of(frame)]);
  const all = [...data, ...other];
  const last = Math.max(4, ...all.map(([x]) => x));
  const values = all.map(([, y]) => y);
  const [low, high] = values.length ? [Math.min(...values), Math.max(...values)] : [0, 1];
  const margin = (high - low) * 0.08 || Math.abs(high) * 0.05 || 0.5;
  const panel = new Panel(at(id), { name: 'iteration', low: 0, high: last }, { name, low: low - margin, high: high + margin }, 200);
  panel.frame();
  panel.clipped(() => {
    if (other.length) panel.curve(other, Colours.of('dim'), { width: 2, dash: [5, 4] });
    if (data.length) panel.curve(data, Colours.of('accent'));
  });
  if (!data.length) return;
  panel.disc(...panel.place(...data[state.frame]), 4.5);
  panel.context.fillStyle = Colours.of('accent');
  panel.context.fill();
}
function drawTraces() {
  drawTrace('likelihood', 'log-likelihood a point', frame => frame.log_likelihood);
  const kMeans = (state.kMeans?.trace ?? []).map((inertia, i) => [i, inertia]);
  const end = iterationOf(state.frames.length - 1);
  if (kMeans.length && end > kMeans.length - 1) kMeans.push([end, kMeans.at(-1)[1]]);
  drawTrace('inertia', 'inertia a point (dashed: k-means)', frame => frame.inertia, kMeans);
}

// --- Text ---

const MARKS = { holds: '✓', nearly: '≈', open: '✗' };
const SAID = { holds: 'holds', nearly: 'nearly holds', open: 'does not hold' };
function showPlace() {
  const { shape, assigned } = state.place;
  const place = config.places[shape][assigned];
  for (const [id, list, i] of [['shape', config.path.shapes, shape], ['assigned', config.path.assigned, assigned]]) {
    at(id).value = i;
    at(id).setAttribute('aria-valuetext', list[i].name);
    at(id + '-name').textContent = list[i].name;
  }
  if (at('words').textContent !== place.words) at('words').textContent = place.words;
  at('conditions').replaceChildren(...[['one shared sphere', place.sphere], ['equal weights', place.equal], ['hard assignment', place.hard]]
    .map(([name, condition]) => element('li', { class: condition },
      element('span', { 'aria-hidden': 'true' }, MARKS[condition] + ' '), name,
      element('span', { class: 'unseen' }, ': ' + SAID[condition]))));
  at('place').classList.toggle('there', [place.sphere, place.equal, place.hard].every(condition => condition !== 'open'));
}
function showAgreement() {
  const n = state.points.length;
  const few = kAsked() - n;
  const same = state.shares && state.kMeans ? state.shares.filter((_, i) => !differs(i)).length : null;
  state.same = same;
  at('agreement').textContent = !state.kMeans
    ? (few > 0 && !record ? `Draw at least ${few} more ${few === 1 ? 'point' : 'points'}.` : '')
    : same === null ? 'Make an E-step to see how the points are shared.'
      : `${Numbers.count(same)} of ${Numbers.count(n)} points are labelled as by k-means from the same start.`;
}
function showLegend() {
  const frame = state.frames[state.frame];
  const weight = (w, c) => element('span', {}, swatch(c), `${c}: weight ${Numbers.text(w, 3)}`);
  at('legend').replaceChildren(...(frame ? frame.parameters.weights.map(weight) : []));
  at('repairs').replaceChildren(...(frame?.repairs ?? []).map(text => element('li', {}, text)));
}
function showSteps() {
  const ready = state.frames.length > 0;
  const shared = state.sharedAt === state.frame;
  at('e').disabled = !ready || shared;
  at('m').disabled = !ready || !shared || atEnd();
  for (const id of ['run', 'end', 'back']) at(id).disabled = !ready;
  at('run').textContent = state.running ? 'Pause' : 'Run';
  at('run').setAttribute('aria-pressed', String(state.running));
  at('iteration').max = Math.max(0, state.frames.length - 1);
  at('iteration').value = state.frame;
  at('iteration').disabled = state.frames.length < 2;
  const phase = !ready ? '' : shared ? 'shared by these components' : state.sharedAt >= 0 ? 'moved, not shared anew yet' : 'not shared yet';
  const end = atEnd() ? ': settled' : phase && `: ${phase}`;
  at('iteration-name').textContent = ready ? iterationOf(state.frame) + end : '–';
  at('iteration').setAttribute('aria-valuetext', at('iteration-name').textContent);
}
function showHelp() {
  const full = state.points.length >= config.max_points && !record;
  const n = Numbers.count(state.points.length) + (full ? ' (as many as this page takes)' : '');
  const rings = 'Colours mix by share; ringed points are labelled otherwise by k-means; ellipses are at 1 and 2 standard deviations.';
  const { k, init, seed } = config.start;
  const set = config.sets[0];
  const part = set.of > set.rows.length ? `, evenly taken of ${Numbers.count(set.of)}` : '';
  at('help').textContent = record
    ? `${set.name}: ${n} points${part}; ${k} components, start ${init}, seed ${seed}. ${rings}`
    : state.tool ? `Click or drag to draw; or move the cross with the arrow keys and put points with the space bar. ${n} points.`
      : `${n} points. ${rings} Point at one for its shares.`;
}
function readOut(i) {
  const shared = state.shares?.[i];
  if (i < 0 || !state.points[i]) {
    at('readout').textContent = '';
    return;
  }
  const [x, y] = state.points[i].map(z => Numbers.text(z, 3));
  const shares = shared?.row.map((share, c) => [share, c]).filter(([share]) => share > 0.005).sort((a, b) => b[0] - a[0])
    .map(([share, c]) => `${c} ${Math.round(100 * share)} %`).join(', ');
  const label = state.kMeans && shared ? `; k-means: ${state.kMeans.labels[i]}` : '';
  at('readout').textContent = `Point ${i} at ${x}, ${y}` + (shares ? `: component ${shares}${label}` : '');
}
function nearest([px, py], within = 14) {
  let [best, found] = [within ** 2, -1];
  state.points.forEach((point, i) => {
    const [x, y] = plane.place(...point);
    const d = (x - px) ** 2 + (y - py) ** 2;
    if (d < best) [best, found] = [d, i];
  });
  return found;
}
function show() {
  showPlace();
  showAgreement();
  showLegend();
  showSteps();
  showHelp();
  drawPlane();
  drawTraces();
}

// --- What the hand does ---

function listen() {
  const step = (id, work) => at(id).addEventListener('click', () => {
    state.running = false;
    act(work);
  });
  step('e', expect);
  step('m', maximise);
  step('end', toEnd);
  step('back', toStart);
  at('run').addEventListener('click', () => {
    state.running = !state.running;
    act(state.running ? async () => {
      if (atEnd()) await toStart();
      await play();
    } : async () => {});
  });
  for (const id of ['shape', 'assigned']) at(id).addEventListener('input', move);
  at('iteration').addEventListener('input', () => {
    const frame = Number(at('iteration').value);
    state.running = false;
    act(() => goTo(frame));
  });
  for (const id of ['k', 'init', 'seed']) {
    at(id).addEventListener('change', () => {
      if (id === 'k') at('k').value = kAsked();
      act(startAnew);
    });
  }
  at('again').addEventListener('click', () => {
    at('seed').value = seedAsked() + 1;
    act(startAnew);
  });
  at('set').addEventListener('change', () => choose(config.sets[Number(at('set').value)]));
  at('clear').addEventListener('click', () => {
    Object.assign(state, { points: [], own: true, axes: ['x', 'y'], view: viewOf([]) });
    if (!state.tool) useTool('spray');
    act(startAnew);
  });
  for (const tool of ['pen', 'spray']) at(tool).addEventListener('click', () => useTool(tool));
  listenToPlane(at('plane'));
}
function listenToPlane(canvas) {
  let drawing = false;
  const draw = event => {
    const place = plane.at(...plane.pointer(event));
    if (state.tool === 'spray') spray(place);
    else if (nearest(plane.pointer(event), 9) < 0) put(...place);
    drawPlane();
  };
  canvas.addEventListener('pointerdown', event => {
    if (!state.tool) return;
    event.preventDefault();
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    state.cursor = null;
    state.running = false;
    drawing = true;
    draw(event);
  });
  canvas.addEventListener('pointermove', event => {
    if (drawing) draw(event);
    else if (plane) readOut(nearest(plane.pointer(event)));
  });
  for (const name of ['pointerup', 'pointercancel']) {
    canvas.addEventListener(name, () => {
      if (drawing) act(startAnew);
      drawing = false;
    });
  }
  canvas.addEventListener('pointerleave', () => readOut(-1));
  canvas.addEventListener('blur', () => {
    state.cursor = null;
    drawPlane();
  });
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  canvas.addEventListener('keydown', event => {
    const middle = () => [(plane.x.low + plane.x.high) / 2, (plane.y.low + plane.y.high) / 2];
    if (ARROWS[event.key]) {
      const [x, y] = state.cursor ?? middle();
      const [dx, dy] = ARROWS[event.key].map(d => 0.1 * d);
      state.cursor = [Math.max(plane.x.low, Math.min(plane.x.high, x + dx)), Math.max(plane.y.low, Math.min(plane.y.high, y + dy))];
      readOut(nearest(plane.place(...state.cursor), 30));
    } else if ((event.key === ' ' || event.key === 'Enter') && state.tool) {
      state.cursor ??= middle();
      if (state.tool === 'spray') spray(state.cursor);
      else put(...state.cursor);
      act(startAnew);
    } else {
      return;
    }
    event.preventDefault();
    drawPlane();
  });
}

function open() {
  document.body.classList.toggle('recorded', record !== null);
  at('shape').max = config.path.shapes.length - 1;
  at('assigned').max = config.path.assigned.length - 1;
  const sphere = config.path.shapes.findIndex(({ weights }) => weights === 'equal');
  at('sphere').style.left = 100 * sphere / (config.path.shapes.length - 1) + '%';
  at('k').max = config.max_k;
  at('k').value = config.start.k;
  at('seed').value = config.start.seed;
  at('init').value = config.start.init;
  at('set').append(...config.sets.map((set, i) => element('option', { value: i }, set.name)));
  listen();
  choose(config.sets[0]);
  keepDrawn(at('shown'), show);
}
open();
