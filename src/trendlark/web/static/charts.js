"use strict";
// Draws each chart of mood over the hours from the JSON in the page, and saves it as SVG and PNG. Vega runs with its
// interpreter, because the pages forbid eval; colours come from the style sheet, so light and dark need no second chart.
const tip = document.createElement("div");
tip.className = "tip";
tip.hidden = true;
document.body.append(tip);

function showTip(handler, event, item, value) {
  tip.hidden = !value;
  if (!value) return;
  tip.textContent = value;
  const left = Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8);
  tip.style.left = Math.max(8, left) + window.scrollX + "px";
  tip.style.top = event.clientY + 14 + window.scrollY + "px";
}

function startChart(box) {
  const given = JSON.parse(document.getElementById(box.dataset.points).textContent);
  const words = given.words;
  const stated = given.hours.some(function (hour) { return hour.volume !== null; });
  let views = [];
  let generation = 0;

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  const LEFT = 44;
  const RIGHT = 20;
  const HALF_HOUR = 1800000;
  const first = Date.parse(given.hours[0].hour) - HALF_HOUR;
  const last = Date.parse(given.hours[given.hours.length - 1].hour) + HALF_HOUR;
  const x = {
    field: "hour", type: "temporal", title: null, scale: { type: "utc", nice: false, padding: 0 },
    axis: { labelExpr: "utcFormat(datum.value, '%H') === '00' ? [utcFormat(datum.value, '%H:%M'), " +
      "utcFormat(datum.value, '%d/%m')] : utcFormat(datum.value, '%H:%M')", labelOverlap: true, grid: false },
  };

  function series(label, ink) {
    const y = { field: label, type: "quantitative", scale: { domain: [0, 1] }, title: null,
      axis: { format: "%", tickCount: 5 } };
    const line = { type: "line", color: ink, strokeWidth: 2.25, invalid: "break-paths-show-domains",
      interpolate: "linear" };
    return [
      { mark: { type: "area", color: ink, opacity: 0.16, invalid: "break-paths-show-domains" },
        encoding: { x: x, y: Object.assign({}, y, { field: label + "_low" }), y2: { field: label + "_high" } } },
      { mark: { type: "rule", color: ink, opacity: 0.3, strokeWidth: 2, invalid: "filter" },
        encoding: { x: x, y: Object.assign({}, y, { field: label + "_low" }), y2: { field: label + "_high" } } },
      { mark: line, encoding: { x: x, y: y } },
      { mark: { type: "point", color: ink, filled: true, size: 34, opacity: 1, invalid: "filter" },
        encoding: { x: x, y: y } },
    ];
  }

  function ticks(width) {
    const room = Math.max(2, Math.floor(width / 64));
    const step = [1, 2, 3, 4, 6, 12, 24].find(function (hours) { return given.hours.length / hours <= room; }) || 48;
    return given.hours.map(function (hour) { return Date.parse(hour.hour); })
      .filter(function (moment) { return moment / (2 * HALF_HOUR) % step === 0; });
  }

  function specification(outer) {
    const ink = colour("--ink-2");
    const rule = colour("--rule");
    const hover = { mark: { type: "rule", strokeWidth: 26, opacity: 0.001, color: ink },
      encoding: { x: x, tooltip: { field: "tip", type: "nominal" } } };
    const mood = {
      height: 230,
      layer: series("negative", colour("--neg")).concat(series("positive", colour("--pos")), [hover]),
    };
    const field = stated ? "volume" : "sampled";
    const amount = {
      height: 64,
      layer: [
        { mark: { type: "bar", color: colour("--bar"), cornerRadiusEnd: 2, invalid: "filter",
          size: { expr: "max(2, min(40, 0.6 * width / " + given.hours.length + "))" } },
          encoding: { x: x,
            y: { field: field, type: "quantitative", title: null, axis: { tickCount: 2, tickMinStep: 1, labelExpr: "format(datum.value, '~s')" } } } },
        hover,
      ],
    };
    const axis = { domain: false, ticks: false, gridColor: rule, labelColor: ink, labelFontSize: 12, labelPadding: 8 };
    const config = {
      background: "transparent", view: { stroke: null }, font: colour("--font"),
      axis: axis, axisX: { domain: true, domainColor: rule },
      axisY: { titlePadding: 0 },
    };
    return { mood: shell(mood, config, outer), amount: shell(amount, config, outer) };
  }

  function shell(part, config, outer) {
    return Object.assign({
      $schema: "https://vega.github.io/schema/vega-lite/v6.json",
      data: { values: given.hours }, config: config, padding: { left: LEFT, right: RIGHT, top: 8, bottom: 40 },
      autosize: "none", width: Math.max(120, outer - LEFT - RIGHT),
    }, part);
  }

  function view(part, options) {
    const plan = vegaLite.compile(part).spec;
    // Given to Vega-Lite, the domain becomes an expression that the interpreter does not read as a time.
    plan.scales.find(function (scale) { return scale.name === "x"; }).domain = [first, last];
    for (const axis of plan.axes) if (axis.scale === "x") axis.values = ticks(plan.width);
    const given = { expr: vegaInterpreter.expressionInterpreter, logLevel: vega.Warn };
    return new vega.View(vega.parse(plan, null, { ast: true }), Object.assign(given, options));
  }

  function caption() {
    const line = document.createElement("p");
    line.className = "chart-label";
    line.textContent = stated ? words.volume : words.sample;
    return line;
  }

  async function draw() {
    // Drawing waits in between; a later call empties the box, and an earlier one that wakes up then must not go on.
    generation += 1;
    const mine = generation;
    delete box.dataset.drawn;
    views.forEach(function (one) { one.finalize(); });
    views = [];
    box.replaceChildren();
    const parts = specification(box.clientWidth);
    for (const name of ["mood", "amount"]) {
      const place = document.createElement("div");
      place.className = "chart-part";
      // The box is one picture with its words; marks of its parts, some of them empty, are not told one by one.
      place.setAttribute("aria-hidden", "true");
      if (name === "amount") box.append(caption());
      box.append(place);
      const one = view(parts[name], { renderer: "svg", container: place, hover: true });
      one.tooltip(showTip);
      await one.runAsync();
      if (mine !== generation) {
        one.finalize();
        return;
      }
      views.push(one);
    }
    box.dataset.drawn = "true";
  }

  // What is saved stands alone, at one size whatever the screen: title, key, both parts and where it comes from.
  async function picture() {
    const width = PICTURE;
    const font = colour("--font").replaceAll('"', "'");
    const drawing = document.createElementNS(SVG, "svg");
    drawing.setAttribute("xmlns", SVG);
    drawing.setAttribute("font-family", font);
    add(drawing, "rect", { width: "100%", height: "100%", fill: colour("--card") });
    const title = write(drawing, 20, 32, 17, colour("--ink"), cut(given.title, 84));
    title.setAttribute("font-weight", "650");
    title.setAttribute("direction", "ltr");
    let x = 20;
    for (const [label, ink] of [["negative", "--neg"], ["positive", "--pos"]]) {
      add(drawing, "rect", { x: x, y: 47, width: 12, height: 10, rx: 2, fill: colour(ink) });
      write(drawing, x + 18, 56, 12, colour("--ink-2"), words[label]);
      x += 40 + 7 * words[label].length;
    }
    write(drawing, x, 56, 12, colour("--ink-2"), "\u2500 " + words.interval);
    write(drawing, width - RIGHT, 56, 12, colour("--ink-2"), given.when).setAttribute("text-anchor", "end");
    const parts = specification(width);
    let y = 68;
    for (const name of ["mood", "amount"]) {
      if (name === "amount") write(drawing, 20, (y += 20) - 6, 12, colour("--ink-2"), stated ? words.volume : words.sample);
      const one = view(parts[name], { renderer: "none" });
      const part = new DOMParser().parseFromString(await one.toSVG(), "image/svg+xml").documentElement;
      one.finalize();
      part.setAttribute("y", y);
      y += Number(part.getAttribute("height"));
      drawing.append(document.importNode(part, true));
    }
    write(drawing, 20, y + 14, 10, colour("--ink-2"), "Trendlark \u00b7 " + given.foot);
    drawing.setAttribute("width", width);
    drawing.setAttribute("height", y + 30);
    drawing.setAttribute("viewBox", "0 0 " + width + " " + (y + 30));
    return drawing;
  }

  async function save(kind) {
    const drawing = await picture();
    const text = new XMLSerializer().serializeToString(drawing);
    if (kind === "svg") return download(new Blob([text], { type: "image/svg+xml" }), "svg");
    const image = new Image();
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(text);
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = 2 * Number(drawing.getAttribute("width"));
    canvas.height = 2 * Number(drawing.getAttribute("height"));
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    download(await new Promise(function (done) { canvas.toBlob(done, "image/png"); }), "png");
  }

  async function saveOrTell(kind) {
    const told = document.getElementById(box.id + "-unsaved");
    try {
      await save(kind);
      told.hidden = true;
    } catch (error) {
      told.hidden = false;
      throw error;
    }
  }

  function download(blob, ending) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = "trendlark-" + (given.title.normalize("NFKD").replace(/\p{M}/gu, "").replace(/[^A-Za-z0-9]+/g, "-").slice(0, 60) || "chart") + "." + ending;
    link.click();
    setTimeout(function () { URL.revokeObjectURL(link.href); }, 60000);
  }

  async function drawOrTell() {
    try {
      await draw();
    } catch (error) {
      fail(box);
      throw error;
    }
  }

  drawOrTell();
  const saves = document.getElementById(box.id + "-saves");
  if (saves) {
    saves.hidden = false;
    for (const button of saves.querySelectorAll("button")) {
      button.addEventListener("click", function () { saveOrTell(button.dataset.save); });
    }
  }
  let width = box.clientWidth;
  window.addEventListener("resize", function () {
    if (box.clientWidth === width) return;
    width = box.clientWidth;
    drawOrTell();
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawOrTell);
}

const PICTURE = 960;
const SVG = "http://www.w3.org/2000/svg";

function add(parent, name, attributes) {
  const one = document.createElementNS(SVG, name);
  for (const key of Object.keys(attributes)) one.setAttribute(key, attributes[key]);
  parent.append(one);
  return one;
}

function write(parent, x, y, size, ink, text) {
  const one = add(parent, "text", { x: x, y: y, "font-size": size, fill: ink });
  one.textContent = text;
  return one;
}

function cut(text, most) {
  const signs = Array.from(text);
  return signs.length > most ? signs.slice(0, most - 1).join("") + "\u2026" : text;
}

function fail(box) {
  box.hidden = true;
  const says = document.getElementById(box.id + "-failed");
  if (says) says.hidden = false;
}

for (const box of document.querySelectorAll(".chart[data-points]")) {
  if (window.vega && window.vegaLite && window.vegaInterpreter) startChart(box);
  else fail(box);
}
