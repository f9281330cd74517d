// Two pictures on one place, each cut off at the divider. The divider stays where it is while they are
// swapped, and a picture's old image stands until the new one is decoded.

const PIXELATED_BELOW = 96; // pixels a side
const STEPS = { ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2, PageDown: -10, PageUp: 10, Home: -100, End: 100 };

const shown = new WeakMap(); // node -> the message that is shown in it

export default function ({ data, parentElement }) {
  const text = new TextDecoder().decode(data);
  const node = parentElement.querySelector(".compare");
  if (shown.get(node) === text) return;
  if (!shown.has(node)) mount(node);
  shown.set(node, text);
  const { before, after, alt, labels } = JSON.parse(text);
  node.ariaLabel = alt;
  [before, after].forEach((source, index) => {
    const side = node.children[index];
    const image = side.querySelector("img");
    if (image.src !== source) image.src = source;
    image.alt = `${labels[index]}: ${alt}`;
    side.querySelector(".label").textContent = labels[index];
  });
  const divider = node.querySelector(".divider");
  divider.ariaLabel = `How much is ${labels[0]}, how much ${labels[1]}`;
  move(node, Number(divider.ariaValueNow ?? 50));
}

function mount(node) {
  const divider = node.querySelector(".divider");
  for (const image of node.querySelectorAll("img")) {
    image.onload = () => image.classList.toggle("pixelated", image.naturalHeight < PIXELATED_BELOW);
  }
  const follow = ({ clientX }) => {
    const { left, width } = node.getBoundingClientRect();
    move(node, (100 * (clientX - left)) / width);
  };
  node.onpointerdown = (event) => {
    if (event.button !== 0) return;
    event.preventDefault(); // the pictures would be dragged away
    node.setPointerCapture(event.pointerId);
    divider.focus({ preventScroll: true, focusVisible: false });
    follow(event);
  };
  node.onpointermove = (event) => node.hasPointerCapture(event.pointerId) && follow(event);
  divider.onkeydown = (event) => {
    if (!(event.key in STEPS)) return;
    event.preventDefault(); // the page would scroll
    move(node, Number(divider.ariaValueNow) + STEPS[event.key]);
  };
}

function move(node, percent) {
  const at = Math.round(Math.min(100, Math.max(0, percent)));
  const divider = node.querySelector(".divider");
  node.style.setProperty("--at", at);
  divider.ariaValueNow = at;
  divider.ariaValueText = `${at} % ${node.querySelector(".before .label").textContent}`;
}
