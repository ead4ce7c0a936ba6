// Shows what changes while the page is open. Without it the page is as it was when it was loaded.
"use strict";

// Beside this file, wherever a proxy in front has the page.
const stream = new URL("events", document.currentScript.src);
const standing = document.getElementById("standing");
const parts = ["summary", "process"].map((name) => document.getElementById(name));
const table = document.getElementById("environments");

/** "3 min ago" for a moment; a moment that the clock of this machine is behind of is now. */
function ago(moment) {
  const seconds = Math.max(0, Math.round((Date.now() - moment) / 1000));
  for (const [unit, length] of [["d", 86400], ["h", 3600], ["min", 60]]) {
    if (seconds >= 2 * length) return `${Math.floor(seconds / length)} ${unit} ago`;
  }
  return `${seconds} s ago`;
}

/** Writes the moments of the page, or of a part, as a distance; the moment itself is there to be pointed at. */
function tell(part) {
  for (const time of part.querySelectorAll("time")) {
    time.title ||= time.textContent;
    const text = ago(Date.parse(time.dateTime));
    if (time.textContent !== text) time.textContent = text;
  }
}

function row(number) {
  const id = `environment-${number}`;
  let body = document.getElementById(id);
  if (!body) {
    body = document.createElement("tbody");
    body.id = id;
    body.setAttribute("role", "rowgroup");
    table.append(body);
  }
  return body;
}

/** What of an environment is to be noticed where it changes. */
function news(body) {
  return body.querySelector("tr")?.dataset.news;
}

/** What has come for parts of which the reader has selected something: they stay as they are until that is over. */
const held = new Map();

function isSelectedIn(part) {
  const selection = getSelection();
  return selection.type === "Range" && selection.containsNode(part, true);
}

/** Puts what the server has rendered, and escaped, in the place of what is there; what its reader has opened stays open, and what has
    the focus keeps it. */
function show(part, html) {
  if (isSelectedIn(part)) return void held.set(part, html);
  held.delete(part);
  const open = [...part.querySelectorAll("details[open]")].map((details) => details.className);
  const focused = [...part.querySelectorAll("a, summary")].indexOf(document.activeElement);
  const rate = part.querySelector(".rate")?.textContent;
  part.innerHTML = html;
  for (const details of part.querySelectorAll("details")) details.open = open.includes(details.className);
  part.querySelectorAll("a, summary")[focused]?.focus({ preventScroll: true });
  // It comes beside the row, which has none.
  const cell = part.querySelector(".rate");
  if (cell && rate) cell.textContent ||= rate;
  tell(part);
}

document.addEventListener("selectionchange", () => {
  for (const [part, html] of held) if (!isSelectedIn(part)) show(part, html);
});

function take(changes, isFirst) {
  for (const part of parts) {
    if (part.id in changes) show(part, changes[part.id]);
  }
  for (const [number, html] of changes.environments ?? []) {
    const body = row(number);
    const before = news(body);
    show(body, html);
    if (!isFirst && news(body) !== before) {
      body.classList.remove("news");
      requestAnimationFrame(() => body.classList.add("news"));
    }
  }
  for (const [number, rate] of changes.rates ?? []) row(number).querySelector(".rate").textContent = rate;
  if (changes.order) {
    const bodies = changes.order.map(row);
    for (const body of table.querySelectorAll("tbody")) {
      if (!bodies.includes(body)) body.remove();
    }
    table.append(...bodies);
  }
}

function stand(text, isLive) {
  standing.textContent = text;
  standing.classList.toggle("live", isLive);
}

function follow() {
  let isFirst = true;
  const events = new EventSource(stream);
  events.addEventListener("open", () => {
    isFirst = true;
    stand("live", true);
  });
  events.addEventListener("changes", (event) => {
    take(JSON.parse(event.data), isFirst);
    isFirst = false;
  });
  events.addEventListener("error", () => {
    const isOver = events.readyState === EventSource.CLOSED;
    const since = new Date().toLocaleTimeString();
    stand(isOver ? `not live since ${since}: load the page again` : `not live since ${since}: connecting again`, false);
  });
}

tell(document);
setInterval(() => tell(document), 1000);
follow();
