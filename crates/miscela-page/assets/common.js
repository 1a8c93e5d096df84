'use strict';
// What all pages share: data of the page, colours, numbers as text, and drawing on canvases.

const Data = {
  read(id) { return JSON.parse(document.getElementById(id).textContent); },
  // Numbers packed as base64, as `type` (Uint8Array, Uint16Array, Float32Array …), little-endian.
  unpack(text, type) {
    const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0));
    return new type(bytes.buffer);
  },
};

// Colours are variables of the style, so that they follow the scheme.
const Colours = {
  kept: new Map(),
  listeners: [],
  of(name) {
    if (!this.kept.has(name)) {
      this.kept.set(name, getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim());
    }
    return this.kept.get(name);
  },
  get count() { return Number(this.of('colours')); },
  area(component) { return this.of('c' + component % this.count); },
  line(component) { return this.of('l' + component % this.count); },
  density(share) { return `rgba(${this.of('density')}, ${share})`; },
  // Calls `draw` whenever the scheme changes.
  watch(draw) { this.listeners.push(draw); },
};
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  Colours.kept.clear();
  Colours.listeners.forEach(draw => draw());
});

const Numbers = {
  // A number with some significant digits, and a true minus.
  text(x, digits = 4) {
    if (x === null || x === undefined || Number.isNaN(x)) return '–';
    if (!Number.isFinite(x)) return x > 0 ? '∞' : '−∞';
    const size = Math.abs(x);
    const plain = size === 0 || (size >= 1e-4 && size < 1e9);
    const text = !plain ? x.toExponential(digits - 1)
      : size >= 10 ** (digits - 1) ? x.toFixed(0) : String(Number(x.toPrecision(digits)));
    return text.replace(/-/g, '−');
  },
  percent(x) { return x > 0 && x < 0.0005 ? '< 0.1 %' : (100 * x).toFixed(1) + ' %'; },
  count(n) { return String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, '\u2009'); },
};

// An axis: its range, ticks at round numbers and their labels. A large part that all labels share, or a power of ten, goes
// into the name. With `decades`, values are powers of ten, and the range is that of their logarithms.
class Axis {
  constructor(name, low, high, most = 6, decades = false) {
    if (!(high > low)) {
      const half = Math.abs(low) * 0.1 || 1;
      [low, high] = [low - half, low + half];
    }
    Object.assign(this, { name, low, high, decades });
    const least = (high - low) / Math.max(1, most);
    const power = 10 ** Math.floor(Math.log10(least));
    this.step = power * [1, 2, 5, 10].find(digit => digit * power >= least * (1 - 1e-9));
    if (decades) this.step = Math.max(1, Math.ceil(this.step));
    const first = Math.ceil(low / this.step - 1e-9);
    this.ticks = [];
    for (let i = 0; i <= most; i++) {
      const tick = (first + i) * this.step;
      if (tick <= high + 1e-9 * this.step) this.ticks.push(tick);
    }
    const span = high - low;
    const size = Math.max(Math.abs(low), Math.abs(high));
    const unit = 10 ** (Math.floor(Math.log10(span)) + 1);
    this.offset = size > 1000 * span ? Math.floor(low / unit) * unit : 0;
    const rest = Math.max(Math.abs(low - this.offset), Math.abs(high - this.offset));
    this.exponent = rest >= 1e-3 && rest < 1e5 ? 0 : Math.floor(Math.log10(rest));
    this.decimals = Math.min(12, Math.max(0, Math.ceil(this.exponent - Math.log10(this.step) - 1e-9)));
  }
  label(tick) {
    if (this.decades) return Numbers.count(10 ** tick);
    const text = ((tick - this.offset) / 10 ** this.exponent).toFixed(this.decimals);
    return Number(text) === 0 ? text.replace('-', '') : text.replace('-', '−');
  }
  title() {
    const offset = this.offset ? ` ${this.offset > 0 ? '−' : '+'} ${Math.abs(this.offset)}` : '';
    const digits = [...String(this.exponent)].map(c => c === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[c]).join('');
    return this.name + offset + (this.exponent ? ` / 10${digits}` : '');
  }
  fraction(value) { return (value - this.low) / (this.high - this.low); }
}

// A canvas with a frame, on which data are drawn in their own units.
class Panel {
  // `x` and `y` are {name, low, high}, `y` with `decades` if it is. The canvas takes the width it is given; `height` is in CSS pixels.
  constructor(canvas, x, y, height) {
    const ratio = window.devicePixelRatio || 1;
    const width = Math.max(160, canvas.clientWidth);
    canvas.style.height = height + 'px';
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const context = canvas.getContext('2d');
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    Object.assign(this, { canvas, context, width, height, font: 13 });
    this.setFont();
    this.y = new Axis(y.name, y.low, y.high, Math.max(2, Math.min(7, Math.floor(height / 60))), y.decades);
    const left = Math.max(...this.y.ticks.map(tick => this.measure(this.y.label(tick)))) + 12;
    const top = this.y.name ? 26 : 10;
    const bottom = x.name ? 44 : 26;
    this.area = { x: left, y: top, width: width - left - 12, height: height - top - bottom };
    let most = Math.max(1, Math.min(8, Math.floor(this.area.width / 55)));
    do {
      this.x = new Axis(x.name, x.low, x.high, most);
    } while (--most > 0 && this.crowded());
  }
  setFont(bold = false) { this.context.font = `${bold ? '600 ' : ''}${this.font}px ${Colours.of('sans')}`; }
  measure(text) { return this.context.measureText(text).width; }
  crowded() {
    const widest = Math.max(...this.x.ticks.map(tick => this.measure(this.x.label(tick))));
    return this.x.ticks.length > 1 && this.area.width * this.x.step / (this.x.high - this.x.low) < widest + 14;
  }
  place(x, y) {
    const area = this.area;
    return [area.x + this.x.fraction(x) * area.width, area.y + (1 - this.y.fraction(y)) * area.height];
  }
  // The data at a place of the canvas.
  at(px, py) {
    const { area, x, y } = this;
    return [x.low + (px - area.x) / area.width * (x.high - x.low), y.high - (py - area.y) / area.height * (y.high - y.low)];
  }
  // Where a pointer is, in pixels of this panel.
  pointer(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }
  // Text cut to a width.
  fit(text, width) {
    if (this.measure(text) <= width) return text;
    let kept = [...text];
    while (kept.length > 1 && this.measure(kept.join('') + '…') > width) kept.pop();
    return kept.join('') + '…';
  }
  // Grid, ticks, labels and names.
  frame({ grid = true } = {}) {
    const { context, area } = this;
    context.lineWidth = 1;
    context.strokeStyle = Colours.of(grid ? 'grid' : 'rule');
    context.fillStyle = Colours.of('dim');
    this.setFont();
    const [right, bottom] = [area.x + area.width, area.y + area.height];
    const line = (...ends) => {
      context.beginPath();
      context.moveTo(ends[0], ends[1]);
      context.lineTo(ends[2], ends[3]);
      context.stroke();
    };
    context.textBaseline = 'top';
    for (const tick of this.x.ticks) {
      const px = Math.round(this.place(tick, 0)[0]) + 0.5;
      line(px, grid ? area.y : bottom, px, bottom + 4);
      const half = this.measure(this.x.label(tick)) / 2;
      context.textAlign = 'center';
      context.fillText(this.x.label(tick), Math.min(px, this.width - half - 1), bottom + 7);
    }
    context.textBaseline = 'middle';
    context.textAlign = 'right';
    for (const tick of this.y.ticks) {
      const py = Math.round(this.place(0, tick)[1]) + 0.5;
      line(area.x - 4, py, grid ? right : area.x, py);
      context.fillText(this.y.label(tick), area.x - 7, py);
    }
    context.strokeStyle = Colours.of('rule');
    context.strokeRect(Math.round(area.x) + 0.5, Math.round(area.y) + 0.5, Math.round(area.width), Math.round(area.height));
    context.fillStyle = Colours.of('ink');
    this.setFont(true);
    context.textBaseline = 'alphabetic';
    context.fillText(this.fit(this.x.title(), area.width), right, this.height - 4);
    context.textAlign = 'left';
    context.fillText(this.fit(this.y.title(), this.width - 12), 6, 16);
    this.setFont();
  }
  // Draws within the frame only.
  clipped(draw) {
    const { context, area } = this;
    context.save();
    context.beginPath();
    context.rect(area.x, area.y, area.width, area.height);
    context.clip();
    draw(context);
    context.restore();
  }
  disc(px, py, radius) {
    this.context.beginPath();
    this.context.arc(px, py, radius, 0, 2 * Math.PI);
  }
  // How points are drawn: the more there are on the panel, the smaller and paler.
  marker(total) {
    const crowd = 300 / Math.max(1, total) * Math.min(1, this.area.width / 500);
    return {
      radius: Math.min(3.6, Math.max(1.3, 3.2 * crowd ** 0.2)),
      alpha: Math.min(0.85, Math.max(0.35, 0.8 * crowd ** 0.2)),
    };
  }
  // Points of one colour, of `total` on the panel.
  points(places, component, total = places.length) {
    const { context } = this;
    const { radius, alpha } = this.marker(total);
    context.fillStyle = Colours.area(component);
    context.globalAlpha = alpha;
    for (const [px, py] of places) {
      this.disc(px, py, radius);
      context.fill();
    }
    context.globalAlpha = 1;
    return radius;
  }
  // A line through data.
  curve(data, colour, { width = 2, dash = [] } = {}) {
    const { context } = this;
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.setLineDash(dash);
    context.lineJoin = 'round';
    context.beginPath();
    data.forEach(([x, y], i) => context[i ? 'lineTo' : 'moveTo'](...this.place(x, y)));
    context.stroke();
    context.setLineDash([]);
  }
  // The ellipses of a covariance [[a, b], [b, c]] about a mean at `radii` standard deviations, the inner the stronger.
  ellipses([mx, my], [[a, b], [, c]], component, radii = [1, 2, 3]) {
    // Axes of the ellipse in units of the data: the Cholesky factor of the matrix maps a circle to it.
    const l11 = Math.sqrt(Math.max(a, 0));
    const l21 = l11 > 0 ? b / l11 : 0;
    const l22 = Math.sqrt(Math.max(c - l21 * l21, 0));
    for (const r of radii) {
      const turn = Array.from({ length: 97 }, (_, i) => 2 * Math.PI * i / 96);
      const outline = turn.map(t => [mx + r * l11 * Math.cos(t), my + r * (l21 * Math.cos(t) + l22 * Math.sin(t))]);
      const dash = r === 1 ? [] : r === 2 ? [6, 4] : [2, 4];
      if (r === 1) this.curve(outline, Colours.of('ground'), { width: 4 });
      this.curve(outline, Colours.line(component), { width: r === 1 ? 2 : 1.5, dash });
    }
  }
  // The centre of a component.
  centre([x, y], component, size = 5.5) {
    const [px, py] = this.place(x, y);
    for (const [grown, colour] of [[1.5, Colours.of('ground')], [0, Colours.of('ink')], [-1.5, Colours.area(component)]]) {
      this.disc(px, py, size + grown);
      this.context.fillStyle = colour;
      this.context.fill();
    }
  }
}

// An element with attributes and children; text is never markup.
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, '');
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

// The mark of a component.
function swatch(component) {
  const mark = element('span', { class: 'swatch', 'aria-hidden': 'true' });
  mark.style.background = `var(--c${component % Colours.count})`;
  return mark;
}

// Calls `draw` now, when the width of `element` changes, and when the scheme does.
function keepDrawn(element, draw) {
  let width = -1;
  new ResizeObserver(() => {
    if (element.clientWidth !== width) {
      width = element.clientWidth;
      draw();
    }
  }).observe(element);
  Colours.watch(draw);
}
