"use strict";
// Draws the run that stands in the page as JSON: lifetimes over time, and the ladder. It fetches nothing.
const run = JSON.parse(document.getElementById("run").textContent);
const at = (id) => document.getElementById(id);
const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};
const seconds = (us) => (us / 1e6).toFixed(6);

// ---- the ladder's rows
const kRowsAtOnce = 1500;
let windowFrom = 0, windowTo = Math.max(1, run.length), matching = [], shown = 0, chosen = null;

const glob = (pattern) => new RegExp("^" + pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&").replace(/\*/g, ".*").replace(/\?/g, ".") + "$", "i");

function fieldText(row, name) {
  if (name === "file") return row.file || "";
  if (name === "client") return row.e.client || row.e.client_addr || "";
  return row.e[name] || "";
}

// One word of the filter as a function of a row.
function term(word) {
  const parts = /^(\w+)(!?=)(.*)$/.exec(word);
  if (!parts) return (row) => (row.words + " " + run.lanes[row.from].title + " " + run.lanes[row.to].title).toLowerCase().includes(word.toLowerCase());
  const [, name, sign, value] = parts;
  if (name === "request") return (row) => row.e.cause === value || row.e.node + ":" + row.e.call === value;
  const patterns = value.split(",").map(glob);
  const hit = (row) => {
    const text = fieldText(row, name);
    return patterns.some((p) => p.test(text) || (name === "status" && p.test(text.replace(/^NFS4(ERR)?_/, ""))));
  };
  return sign === "=" ? hit : (row) => !hit(row);
}

function wanted() {
  const terms = (at("filter").value.match(/\S+/g) || []).map(term);
  const plain = { plumbing: at("plumbing").checked, scsi: at("scsi").checked, control: at("control").checked };
  const asked = /(^|\s)request=/.test(at("filter").value);
  return run.rows.filter((row) => {
    if (row.t < windowFrom || row.t > windowTo) return false;
    if (at("only-bad").checked && !row.bad && !row.e.fault) return false;
    if (!asked && !row.bad && !row.e.fault) {
      if (row.plumbing && !plain.plumbing) return false;
      if (row.e.kind === "scsi" && !plain.scsi) return false;
      if (row.e.kind === "control" && !plain.control) return false;
    }
    return terms.every((t) => t(row));
  });
}

const centre = (lane) => ((lane + 0.5) / run.lanes.length) * 100;

function track(row) {
  const cell = make("span", "track");
  if (row.from === row.to) {
    const dot = cell.appendChild(make("span", "dot"));
    dot.style.left = centre(row.to) + "%";
    return cell;
  }
  const left = Math.min(row.from, row.to), right = Math.max(row.from, row.to);
  const line = cell.appendChild(make("span", "line"));
  line.style.left = centre(left) + "%";
  line.style.width = centre(right) - centre(left) + "%";
  const head = cell.appendChild(make("span", "head " + (row.to > row.from ? "r" : "l")));
  head.style.left = centre(row.to) + "%";
  return cell;
}

function sentence(row) {
  const from = run.lanes[row.from].title, to = run.lanes[row.to].title;
  return seconds(row.t) + " seconds, " + (from === to ? "at " + to : from + " to " + to) + ": " + (row.bad ? "error, " : "") + row.words;
}

function drawRow(row) {
  const button = make("button", "row " + row.e.kind + (row.bad ? " failed" : "") + (row.e.fault ? " faulty" : ""));
  button.type = "button";
  button.tabIndex = -1;
  button.setAttribute("aria-label", sentence(row));
  button.setAttribute("aria-pressed", "false");
  Object.assign(button.dataset, { op: row.e.op || "", status: row.e.status || "", node: row.e.node || "", to: run.lanes[row.to].title,
    from: run.lanes[row.from].title, reason: row.e.reason || "", kind: row.e.kind });
  button.append(make("span", "t", seconds(row.t)), track(row), make("span", "w", row.words));
  button.addEventListener("click", () => choose(button, true));
  button.addEventListener("mousemove", (event) => tip(row, event.clientX, event.clientY));
  button.addEventListener("mouseleave", () => { at("tip").hidden = true; });
  button.run = row;
  const item = make("li");
  item.append(button);
  return item;
}

function drawMore() {
  const part = document.createDocumentFragment();
  for (const row of matching.slice(shown, shown + kRowsAtOnce)) part.append(drawRow(row));
  at("rows").append(part);
  shown = Math.min(matching.length, shown + kRowsAtOnce);
  at("more").hidden = shown >= matching.length;
  const left = run.leftOut ? "; " + run.leftOut + " routine events of a long run are not in this page" : "";
  at("count").textContent = matching.length + " of " + run.rows.length + " events" + left;
}

function drawRows() {
  matching = wanted();
  shown = 0;
  at("rows").replaceChildren();
  drawMore();
  const first = at("rows").querySelector(".row");
  if (first) first.tabIndex = 0;
}

// ---- one event in full
function fill(list, row) {
  const entries = [["from", run.lanes[row.from].title], ["to", run.lanes[row.to].title], ["seconds", seconds(row.t)], ...Object.entries(row.e)];
  list.replaceChildren(...entries.flatMap(([name, value]) => [make("dt", "", name), make("dd", "", value)]));
}

function tip(row, x, y) {
  const box = at("tip"), list = make("dl");
  fill(list, row);
  box.replaceChildren(list);
  box.hidden = false;
  box.style.left = Math.max(4, Math.min(x + 16, innerWidth - box.offsetWidth - 8)) + "px";
  box.style.top = Math.max(4, Math.min(y + 16, innerHeight - box.offsetHeight - 8)) + "px";
}

function linkTo(request, text) {
  const button = make("button", "", text);
  button.type = "button";
  button.addEventListener("click", () => { at("filter").value = "request=" + request; closeDetails(); drawRows(); });
  return button;
}

function choose(button, open) {
  for (const old of at("rows").querySelectorAll('[tabindex="0"], [aria-pressed=true]')) { old.tabIndex = -1; old.setAttribute("aria-pressed", "false"); }
  button.tabIndex = 0;
  button.setAttribute("aria-pressed", "true");
  button.focus();
  button.scrollIntoView({ block: "nearest" });
  chosen = button;
  if (!open) return;
  const row = button.run;
  at("details-title").textContent = row.words;
  const links = [];
  if (row.e.call) links.push(linkTo(row.e.node + ":" + row.e.call, "All of this request and what it caused"));
  if (row.e.cause) links.push(linkTo(row.e.cause, "The request that caused it (" + row.e.cause + ")"));
  at("details-cause").replaceChildren(...links);
  fill(at("fields"), row);
  at("tip").hidden = true;
  at("details").hidden = false;
  at("details").focus();
}

function closeDetails() {
  at("details").hidden = true;
  if (chosen && chosen.isConnected) chosen.focus();
}

function step(forward, which) {
  const all = [...at("rows").querySelectorAll(".row")];
  let i = all.indexOf(document.activeElement);
  if (i < 0) i = forward ? -1 : all.length;
  do i += forward ? 1 : -1; while (all[i] && !which(all[i]));
  if (all[i]) choose(all[i], false);
}

at("rows").addEventListener("keydown", (event) => {
  const any = () => true, bad = (b) => b.run.bad || b.run.e.kind === "fault";
  const moves = { ArrowDown: [true, any], ArrowUp: [false, any], n: [true, bad], p: [false, bad] };
  if (event.key in moves) { step(...moves[event.key]); event.preventDefault(); }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !at("details").hidden) closeDetails();
  if (event.key === "/" && document.activeElement !== at("filter")) { at("filter").focus(); event.preventDefault(); }
});
at("close").addEventListener("click", closeDetails);
at("more").addEventListener("click", drawMore);
at("filter").addEventListener("input", drawRows);
for (const id of ["only-bad", "scsi", "control", "plumbing"]) at(id).addEventListener("change", drawRows);

// ---- lifetimes over time
const svg = (tag, attributes, text) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
};
const kLabels = 330, kBarHeight = 18, kTop = 22;
let scale = null;  // pixels of the time area: { left, width }

function niceStep(span) {
  const rough = span / 6, power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
}

function drawTime() {
  const width = Math.max(600, at("time").clientWidth - 2), area = width - kLabels - 16;
  scale = { left: kLabels, width: area };
  const x = (us) => kLabels + ((us - windowFrom) / (windowTo - windowFrom)) * area;
  const bars = run.bars.filter((bar) => bar.end >= windowFrom && bar.begin <= windowTo);
  const height = kTop + (bars.length + 1) * kBarHeight + 8;
  const picture = svg("svg", { width, height, role: "list", "aria-label": "Lifetimes" });
  const every = niceStep(windowTo - windowFrom);
  for (let t = Math.ceil(windowFrom / every) * every; t <= windowTo; t += every) {
    picture.append(svg("line", { class: "grid", x1: x(t), x2: x(t), y1: kTop - 4, y2: height }),
      svg("text", { class: "axis", x: x(t), y: 14, "text-anchor": "middle" }, +(t / 1e6).toFixed(6) + " s"));
  }
  picture.append(svg("text", { x: 6, y: kTop + 13 }, "errors"));
  for (const row of run.rows)
    if (row.bad && row.t >= windowFrom && row.t <= windowTo)
      picture.append(svg("rect", { class: "error", x: x(row.t) - 1, y: kTop + 2, width: 2, height: kBarHeight - 4 }));
  bars.forEach((bar, i) => {
    const y = kTop + (i + 1) * kBarHeight, from = x(Math.max(bar.begin, windowFrom)), to = x(Math.min(bar.end, windowTo));
    const words = bar.kind + ": " + bar.label + ", " + run.lanes[bar.lane].title + ", from " + seconds(bar.begin) + " s to " +
      (bar.ended ? seconds(bar.end) + " s (" + bar.how + ")" : "the end of the trace") + (bar.detail ? ", " + bar.detail : "");
    const group = svg("g", { role: "listitem", "aria-label": words });
    group.dataset.kind = bar.kind;
    const label = bar.label.length > 44 ? bar.label.slice(0, 43) + "…" : bar.label;
    const who = run.lanes[bar.lane].title;
    group.append(svg("title", {}, words), svg("text", { x: 6, y: y + 13 }, (bar.kind === "fault" ? "" : who + ": ") + label),
      svg("rect", { class: bar.kind, x: from, y: y + 3, width: Math.max(3, to - from), height: kBarHeight - 6, rx: bar.ended ? 3 : 0 }));
    for (const hit of bar.hits || [])
      if (hit >= windowFrom && hit <= windowTo) group.append(svg("rect", { class: "hit", x: x(hit) - 1.5, y: y + 2, width: 3, height: kBarHeight - 4 }));
    picture.append(group);
  });
  at("time").replaceChildren(picture);
  at("window").textContent = seconds(windowFrom) + " s to " + seconds(windowTo) + " s";
}

function zoomTo(from, to) {
  const length = Math.max(1, run.length), span = Math.min(length, Math.max(10, to - from));
  windowFrom = Math.max(0, Math.min(from, length - span));
  windowTo = windowFrom + span;
  drawTime();
  drawRows();
}
const zoomBy = (factor, around = (windowFrom + windowTo) / 2) =>
  zoomTo(around - (around - windowFrom) * factor, around + (windowTo - around) * factor);
const shift = (part) => zoomTo(windowFrom + (windowTo - windowFrom) * part, windowTo + (windowTo - windowFrom) * part);
const actions = { "zoom-in": () => zoomBy(0.5), "zoom-out": () => zoomBy(2), earlier: () => shift(-0.5), later: () => shift(0.5),
  "zoom-all": () => zoomTo(0, run.length) };
for (const [id, action] of Object.entries(actions)) at(id).addEventListener("click", action);
at("time").addEventListener("keydown", (event) => {
  const keys = { "+": "zoom-in", "=": "zoom-in", "-": "zoom-out", ArrowLeft: "earlier", ArrowRight: "later", 0: "zoom-all" };
  if (keys[event.key]) { actions[keys[event.key]](); event.preventDefault(); }
});

const timeAt = (event) => windowFrom + ((event.clientX - at("time").getBoundingClientRect().left - scale.left) / scale.width) * (windowTo - windowFrom);
let dragFrom = null, dragBox = null;
at("time").addEventListener("pointerdown", (event) => {
  if (event.clientX - at("time").getBoundingClientRect().left < scale.left) return;
  dragFrom = event;
  dragBox = at("time").firstChild.appendChild(svg("rect", { class: "drag", y: 0, height: "100%" }));
});
window.addEventListener("pointermove", (event) => {
  if (!dragFrom) return;
  const left = at("time").getBoundingClientRect().left;
  dragBox.setAttribute("x", Math.min(dragFrom.clientX, event.clientX) - left);
  dragBox.setAttribute("width", Math.abs(event.clientX - dragFrom.clientX));
});
window.addEventListener("pointerup", (event) => {
  if (!dragFrom) return;
  const [from, to] = [timeAt(dragFrom), timeAt(event)].sort((a, b) => a - b), far = Math.abs(event.clientX - dragFrom.clientX) > 6;
  dragBox.remove();
  dragFrom = null;
  if (far) zoomTo(from, to);
});
at("time").addEventListener("wheel", (event) => {
  if (!event.ctrlKey) return;
  event.preventDefault();
  zoomBy(event.deltaY < 0 ? 0.8 : 1.25, timeAt(event));
}, { passive: false });

// ---- begin
document.documentElement.style.setProperty("--lanes", run.lanes.length);
document.documentElement.style.setProperty("--track", "minmax(0, " + Math.min(46, run.lanes.length * 7.5) + "rem)");
const heads = make("span", "lanes");
heads.style.gridTemplateColumns = "repeat(" + run.lanes.length + ", minmax(0, 1fr))";
for (const lane of run.lanes) { const head = make("span", "", lane.title); head.title = lane.id; heads.append(head); }
at("heads").append(make("span", "", "seconds"), heads, make("span", "", "what"));
drawTime();
drawRows();
new ResizeObserver(() => drawTime()).observe(at("time"));
document.documentElement.dataset.ready = "yes";
