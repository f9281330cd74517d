// Runs as cards: press one to open it, drag one onto another to compare the two. A pointer drags, so a finger
// does, too, once it has rested on the picture; with keys, the button at a card's corner chooses it, and the
// second that is chosen is compared with the first.

const CARD = `
  <li class="card">
    <button type="button" class="open"><svg viewBox="0 0 100 40" preserveAspectRatio="none" aria-hidden="true">
      <polyline points=""/></svg><span class="title"></span><span class="said"></span>
      <span class="apart"></span><span class="marks"></span></button>
    <button type="button" class="choose" aria-pressed="false">+</button>
  </li>`;
const MOVED = 6; // pixels that make a press a drag

const boards = new WeakMap(); // node -> its board; the node outlives the updates

export default function ({ data, parentElement, setTriggerValue }) {
  const node = parentElement.querySelector(".run-cards");
  if (!boards.has(node)) boards.set(node, new Board(node));
  const board = boards.get(node);
  board.send = (ids) => setTriggerValue("asked", ids);
  board.show(JSON.parse(new TextDecoder().decode(data)));
}

class Board {
  constructor(node) {
    this.list = node.querySelector("ul");
    this.told = node.querySelector(".told");
    this.chosen = null;
    this.drag = null;
    this.list.onclick = (event) => this.click(event);
    this.list.onpointerdown = (event) => this.lift(event);
    this.list.onpointermove = (event) => this.drag && this.carry(event);
    this.list.onpointerup = (event) => this.drag && this.drop(event);
    this.list.onpointercancel = () => this.drag && this.put();
    this.list.onkeydown = (event) => void (event.key === "Escape" && this.drag && this.put()); // false would stop it
    this.list.ondragstart = (event) => event.preventDefault();
  }

  show({ cards, label }) {
    if (this.drag) return;
    this.list.ariaLabel = label;
    const template = document.createElement("template");
    template.innerHTML = CARD;
    const standing = new Map([...this.list.children].map((card) => [card.dataset.id, card]));
    this.list.replaceChildren(
      ...cards.map((told) => {
        const card = standing.get(told.id) ?? template.content.firstElementChild.cloneNode(true);
        card.dataset.id = told.id;
        card.querySelector(".title").textContent = told.title;
        for (const part of ["said", "apart", "marks"]) card.querySelector(`.${part}`).textContent = told[part];
        card.querySelector(".open").title = [told.title, told.apart].filter(Boolean).join(" · ");
        card.querySelector(".choose").ariaLabel = `Choose ${told.title} to compare`;
        card.querySelector("polyline").setAttribute("points", points(told.curve));
        return card;
      }),
    );
    if (!cards.some(({ id }) => id === this.chosen)) this.choose(null);
  }

  click({ target }) {
    const card = target.closest(".card");
    if (!card || this.dragged) return void (this.dragged = false);
    if (target.closest(".choose")) {
      if (this.chosen && this.chosen !== card.dataset.id) this.send([this.chosen, card.dataset.id]);
      else this.choose(this.chosen ? null : card.dataset.id);
    } else this.send([card.dataset.id]);
  }

  choose(id) {
    this.chosen = id;
    for (const card of this.list.children) {
      card.classList.toggle("chosen", card.dataset.id === id);
      card.querySelector(".choose").ariaPressed = String(card.dataset.id === id);
    }
    this.told.textContent = id ? "Now choose the run to compare it with." : "";
  }

  lift(event) {
    this.dragged = false;
    const card = event.target.closest(".card");
    if (!card || event.button !== 0 || event.target.closest(".choose")) return;
    this.drag = { card, x: event.clientX, y: event.clientY, id: event.pointerId, moving: false };
  }

  carry(event) {
    const { card, x, y, id } = this.drag;
    const [dx, dy] = [event.clientX - x, event.clientY - y];
    if (!this.drag.moving && Math.hypot(dx, dy) < MOVED) return;
    if (!this.drag.moving) this.list.setPointerCapture(id);
    this.drag.moving = true;
    card.classList.add("lifted");
    card.style.transform = `translate(${dx}px, ${dy}px)`;
    const over = this.under(event);
    for (const each of this.list.children) each.classList.toggle("over", each === over);
  }

  under(event) {
    const inside = ({ left, right, top, bottom }) =>
      left <= event.clientX && event.clientX <= right && top <= event.clientY && event.clientY <= bottom;
    return [...this.list.children].find((each) => each !== this.drag.card && inside(each.getBoundingClientRect()));
  }

  drop(event) {
    const { card, moving } = this.drag;
    const over = moving && this.under(event);
    this.dragged = moving; // the click that follows opens nothing
    setTimeout(() => (this.dragged = false), 50);
    this.put();
    if (over) this.send([card.dataset.id, over.dataset.id]);
  }

  put() {
    const { card } = this.drag;
    card.style.transform = "";
    card.classList.remove("lifted");
    for (const each of this.list.children) each.classList.remove("over");
    this.drag = null;
  }
}

// Shares of right images, from 0 at the bottom to 1 at the top.
function points(curve) {
  const last = Math.max(1, curve.length - 1);
  return curve.map((share, i) => `${(100 * i) / last},${38 - 36 * share}`).join(" ");
}
