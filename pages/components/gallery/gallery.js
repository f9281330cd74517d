// Pictures whose nodes stay while their sources are swapped. A picture's old image stands until the new
// one is decoded, so nothing flashes.

const PIXELATED_BELOW = 96; // pixels a side

const TILE = `
  <figure>
    <button type="button" class="picture">
      <img class="after" decoding="sync">
      <img class="before" decoding="sync" alt="" hidden>
      <span class="original" aria-hidden="true">original</span>
    </button>
    <figcaption><div class="caption"></div><div class="lines"></div></figcaption>
  </figure>`;

const shown = new WeakMap(); // node -> the message that is shown in it

export default function ({ data, parentElement }) {
  const text = new TextDecoder().decode(data);
  const node = parentElement.querySelector(".tiles");
  if (shown.get(node) === text) return;
  shown.set(node, text);
  const { tiles, originals, variant, columns, sprite } = JSON.parse(text);
  node.className = `tiles ${variant}`;
  if (variant === "strip") node.tabIndex = 0; // so that arrow keys scroll it
  node.style.setProperty("--columns", columns);
  node.style.setProperty("--medium", Math.ceil(columns / 2));
  node.style.setProperty("--narrow", Math.max(2, Math.ceil(columns / 4)));
  while (node.children.length > tiles.length) node.lastElementChild.remove();
  while (node.children.length < tiles.length) node.append(newTile());
  tiles.forEach((tile, index) => fill(node.children[index], tile, originals[tile.before], sprite, index, tiles.length));
}

function newTile() {
  const template = document.createElement("template");
  template.innerHTML = TILE;
  const tile = template.content.querySelector("figure");
  for (const image of tile.querySelectorAll("img")) {
    image.onload = () => image.classList.toggle("pixelated", image.naturalHeight < PIXELATED_BELOW);
  }
  const picture = tile.querySelector(".picture");
  const press = (pressed) => () => picture.classList.toggle("pressed", pressed);
  picture.onpointerdown = press(true);
  picture.onpointerup = picture.onpointercancel = picture.onpointerleave = press(false);
  return tile;
}

function fill(node, { src, alt, caption, lines, mark }, before, sprite, index, count) {
  const [after, original] = node.querySelectorAll("img");
  node.className = mark ?? "";
  swap(after, sprite ?? src);
  after.alt = alt;
  after.style.cssText = sprite ? `width: ${100 * count}%; left: ${-100 * index}%` : "";
  if (before) swap(original, before);
  original.hidden = !before;
  // Only a picture with something behind it is a button; the others are not stops for the keyboard.
  node.querySelector(".picture").disabled = !before;
  const title = node.querySelector(".caption");
  title.textContent = title.title = caption; // a long one is cut
  node.querySelector(".lines").replaceChildren(...lines.map(line));
}

function swap(image, source) {
  if (image.src !== source) image.src = source;
}

function line({ name, value, fired }) {
  const node = document.createElement("div");
  node.className = fired ? "line" : "line spared";
  node.title = fired ? "" : "Not applied to this picture";
  const drawn = document.createElement("span");
  drawn.className = "value";
  drawn.textContent = value;
  node.append(name, " ", drawn);
  return node;
}
