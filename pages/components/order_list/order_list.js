// Rows that a person moves, switches, picks, copies and removes. Each act shows at once: what the server has
// not answered yet is done again on top of whatever list it sends, so a late answer moves nothing back.

const icon = (paths) => `<svg viewBox="0 0 24 24" aria-hidden="true">${paths}</svg>`;
const GRIP = icon([6, 12, 18].map((y) => `<circle cx="9" cy="${y}" r="1.6"/><circle cx="15" cy="${y}" r="1.6"/>`).join(""));
const COPY = icon('<g class="line"><rect x="9" y="9" width="11" height="11" rx="2"/><path d="M5 15H4V6a2 2 0 0 1 2-2h9v1"/></g>');
const CROSS = icon('<path class="line" d="M6 6l12 12M18 6L6 18"/>');

const ROW = `
  <li class="row">
    <button type="button" class="handle" aria-describedby="how">${GRIP}</button>
    <button type="button" class="pick" data-act="select"><span class="title"></span><span class="badges"></span></button>
    <button type="button" class="tool" data-act="duplicate" title="Duplicate">${COPY}</button>
    <button type="button" class="tool" data-act="remove" title="Remove">${CROSS}</button>
    <button type="button" class="switch" data-act="toggle" role="switch"><span class="track"></span></button>
  </li>`;

const MOST_ACTS = 64; // that the server takes at once

const calm = matchMedia("(prefers-reduced-motion: reduce)");
const lists = new WeakMap(); // node -> its list; the node outlives the updates

export default function ({ data, parentElement, setTriggerValue }) {
  const node = parentElement.querySelector(".order");
  if (!lists.has(node)) lists.set(node, new OrderList(node));
  const list = lists.get(node);
  list.send = (acts) => setTriggerValue("acts", acts);
  list.receive(JSON.parse(new TextDecoder().decode(data)));
}

class OrderList {
  constructor(node) {
    this.rows = node.querySelector(".rows");
    this.said = node.querySelector(".said");
    this.unanswered = [];
    this.number = 0;
    this.drag = null;
    this.rows.onclick = (event) => this.click(event);
    this.rows.onkeydown = (event) => this.keydown(event);
    this.rows.onpointerdown = (event) => this.lift(event);
    this.rows.onpointermove = (event) => this.drag && this.carry(event.clientY);
    this.rows.onpointerup = () => this.drag && this.drop(this.drag.to);
    this.rows.onpointercancel = () => this.drag && this.drop(this.drag.from);
  }

  receive(message) {
    this.server = message;
    const wereMany = this.unanswered.length > MOST_ACTS;
    this.unanswered = this.unanswered.filter(({ number }) => number > message.seen);
    if (wereMany && this.unanswered.length) this.sendFirst();
    this.show();
  }

  act(act, index, more = {}) {
    const item = this.items[index];
    if (act === "select" && item.id === this.selected) return;
    if (act === "duplicate" && this.isFull) return;
    this.number = Math.max(this.number, this.server.seen) + 1;
    this.unanswered.push({ act, id: item.id, index, number: this.number, ...more });
    this.sendFirst();
    this.show();
    if (act === "move") this.say(`${item.title} moved to place ${more.to + 1} of ${this.items.length}`);
    if (act === "duplicate") this.say(`${item.title} duplicated`);
    if (act === "remove") this.say(`${item.title} removed`);
    if (act === "remove") this.rows.children[Math.min(index, this.items.length - 1)]?.querySelector(".pick").focus();
  }

  sendFirst() {
    this.send(this.unanswered.slice(0, MOST_ACTS)); // the rest once these are answered
  }

  say(sentence) {
    this.said.textContent = sentence;
  }

  show() {
    if (this.drag) return; // until the row is let go
    const { items, selected } = this.unanswered.reduce(after, this.server);
    Object.assign(this, { items, selected, isFull: this.server.limit !== null && items.length >= this.server.limit });
    this.rows.ariaLabel = this.server.label;
    const focused = this.rows.getRootNode().activeElement;
    const standing = new Map([...this.rows.children].map((row) => [row.dataset.id, row]));
    const before = new Map([...this.rows.children].map((row) => [row, row.getBoundingClientRect().top]));
    const wanted = items.map((item) => standing.get(item.id) ?? newRow(item.id));
    for (const row of standing.values()) if (!wanted.includes(row)) row.remove();
    wanted.forEach((row, index) => {
      if (this.rows.children[index] !== row) this.rows.insertBefore(row, this.rows.children[index]);
      this.fill(row, items[index], index);
    });
    this.rows.classList.remove("dragging");
    wanted.forEach((row) => before.has(row) && slide(row, before.get(row)));
    if (focused?.isConnected) focused.focus(); // a row that is put elsewhere loses it
  }

  fill(row, { id, title, on, badges, warning, isCopy }, index) {
    const part = (name) => row.querySelector(name);
    row.className = ["row", id === this.selected && "selected", !on && "off"].filter(Boolean).join(" ");
    row.inert = Boolean(isCopy); // the server has not named it yet
    part(".title").textContent = title;
    const words = badges.map((text) => badge(text, "badge"));
    if (warning) words.push(badge(warning, "badge warning"));
    part(".badges").replaceChildren(...words);
    part(".pick").ariaCurrent = id === this.selected ? "true" : null;
    part(".switch").ariaChecked = String(on);
    part(".switch").ariaLabel = `${title} on`;
    part(".handle").ariaLabel = `Move ${title}, place ${index + 1} of ${this.items.length}`;
    part("[data-act=duplicate]").ariaLabel = `Duplicate ${title}`;
    part("[data-act=duplicate]").ariaDisabled = String(this.isFull);
    part("[data-act=remove]").ariaLabel = `Remove ${title}`;
  }

  click({ target }) {
    const button = target.closest("[data-act]");
    if (!button) return;
    const index = this.place(button);
    this.act(button.dataset.act, index, button.dataset.act === "toggle" ? { on: !this.items[index].on } : {});
  }

  keydown(event) {
    if (this.drag) return void (event.key === "Escape" && this.drop(this.drag.from));
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step || !event.target.matches(".handle, .pick")) return;
    event.preventDefault(); // the page would scroll
    const index = this.place(event.target);
    const to = index + step;
    if (to < 0 || to >= this.items.length) return;
    if (event.target.matches(".handle")) this.act("move", index, { to });
    else this.rows.children[to].querySelector(".pick").focus();
  }

  lift(event) {
    const handle = event.target.closest(".handle");
    if (!handle || event.button !== 0 || this.drag) return;
    event.preventDefault(); // no text is selected meanwhile
    handle.focus({ focusVisible: false });
    handle.setPointerCapture(event.pointerId);
    const from = this.place(handle);
    const places = [...this.rows.children].map((row) => row.getBoundingClientRect());
    const top = this.rows.getBoundingClientRect().top;
    this.drag = { from, to: from, places, top, row: this.rows.children[from], y: event.clientY };
    this.drag.row.classList.add("lifted");
    this.rows.classList.add("dragging");
  }

  // The lifted row follows the pointer, and the others make room for it.
  carry(y) {
    const { from, places, row } = this.drag;
    const own = places[from];
    const scrolled = this.rows.getBoundingClientRect().top - this.drag.top;
    const highest = places[0].top - own.top;
    const lowest = places.at(-1).bottom - own.bottom;
    const moved = Math.min(lowest, Math.max(highest, y - this.drag.y - scrolled));
    const room = own.height + parseFloat(getComputedStyle(this.rows).rowGap);
    this.drag.to = from;
    places.forEach((place, index) => {
      if (index === from) return;
      const middle = (place.top + place.bottom) / 2;
      const down = index < from && own.top + moved < middle;
      const up = index > from && own.bottom + moved > middle;
      this.drag.to += up - down;
      this.rows.children[index].style.transform = `translateY(${(down - up) * room}px)`;
    });
    row.style.transform = `translateY(${moved}px)`;
    row.scrollIntoView({ block: "nearest" });
  }

  drop(to) {
    const { from, row } = this.drag;
    this.drag = null;
    if (to !== from) this.act("move", from, { to });
    else this.show();
    row.classList.remove("lifted");
  }

  place(part) {
    return [...this.rows.children].indexOf(part.closest(".row"));
  }
}

// The list once `act` has been done.
function after({ items, selected }, { act, id, number, to, on }) {
  const index = items.findIndex((item) => item.id === id);
  if (index < 0) return { items, selected };
  const changed = [...items];
  if (act === "move") changed.splice(to, 0, ...changed.splice(index, 1));
  if (act === "toggle") changed[index] = { ...items[index], on };
  if (act === "duplicate") changed.splice(index + 1, 0, { ...items[index], id: `copy ${number}`, isCopy: true });
  if (act === "remove") changed.splice(index, 1);
  return { items: changed, selected: act === "select" ? id : selected };
}

function newRow(id) {
  const template = document.createElement("template");
  template.innerHTML = ROW;
  const row = template.content.querySelector("li");
  row.dataset.id = id;
  return row;
}

function badge(text, className) {
  const node = document.createElement("span");
  node.className = className;
  node.textContent = text;
  return node;
}

// From where the row was seen to where it belongs.
function slide(row, top) {
  row.style.transform = "";
  for (const animation of row.getAnimations()) animation.cancel();
  const moved = top - row.getBoundingClientRect().top;
  if (!moved || calm.matches) return;
  const steps = [{ transform: `translateY(${moved}px)` }, { transform: "none" }];
  row.animate(steps, { duration: 160, easing: "ease-out" });
}
