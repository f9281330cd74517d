// Images from the clipboard: read by a press of the button where the browser allows it, and by Ctrl+V on it
// everywhere else.

const TYPES = ["image/png", "image/jpeg", "image/webp", "image/bmp"];
const KEYS = navigator.platform.startsWith("Mac") ? "⌘V" : "Ctrl+V";
const ICON = `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M9 5H6.5A1.5 1.5 0 0 0 5 6.5v13A1.5 1.5 0 0 0
  6.5 21h11a1.5 1.5 0 0 0 1.5-1.5v-13A1.5 1.5 0 0 0 17.5 5H15"/><rect x="9" y="3" width="6" height="4" rx="1"/>
  <path d="M8.5 16.5l2.5-3 2 2 1.5-1.5 2 2.5"/></svg>`;

const zones = new WeakMap(); // node -> its label, limits and way to the server

export default function ({ data, parentElement, setTriggerValue }) {
  const node = parentElement.querySelector(".paste");
  if (!zones.has(node)) mount(node);
  const zone = JSON.parse(new TextDecoder().decode(data));
  zones.set(node, { ...zone, send: (images) => setTriggerValue("images", images) });
  node.querySelector(".label").textContent = zone.label;
}

function mount(node) {
  const button = node.querySelector("button");
  button.innerHTML = `${ICON}<span class="label"></span>`;
  button.onclick = () => press(node);
  node.onpaste = (event) => {
    event.preventDefault();
    take(node, [...event.clipboardData.files]);
  };
}

async function press(node) {
  if (!navigator.clipboard?.read) return say(node, `Press ${KEYS} now to paste.`);
  try {
    const items = await navigator.clipboard.read();
    const typed = items.map((item) => [item, item.types.find((type) => TYPES.includes(type))]);
    await take(node, await Promise.all(typed.filter(([, type]) => type).map(([item, type]) => item.getType(type))));
  } catch (error) {
    if (error.name !== "NotAllowedError") console.warn(error);
    say(node, `The browser does not let the button read the clipboard. Press ${KEYS} now to paste.`);
  }
}

async function take(node, files) {
  const { limits, send } = zones.get(node);
  const images = files.filter(({ type }) => TYPES.includes(type));
  if (!images.length) return say(node, "No image in the clipboard: copy a PNG, JPEG, WebP or BMP first.");
  let total = 0;
  const scaled = await Promise.all(images.slice(0, limits.count).map((image) => scaledDown(image, limits)));
  const taken = scaled.filter((image) => {
    const fits = image && image.size <= limits.bytes && total + image.size <= limits.total;
    if (fits) total += image.size;
    return fits;
  });
  const left = images.length - taken.length;
  const count = (number) => (number === 1 ? "1 image" : `${number} images`);
  const why = `at most ${limits.count} at once, and only those that this browser can read`;
  say(node, `${count(taken.length)} pasted.` + (left ? ` ${count(left)} left out: ${why}.` : ""));
  if (taken.length) send(await Promise.all(taken.map(base64)));
}

// A large image at the size that previews need, on white; null if the browser can't read it.
async function scaledDown(file, { small, side }) {
  if (file.size <= small) return file;
  try {
    const image = await createImageBitmap(file);
    const scale = Math.min(1, side / Math.min(image.width, image.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.min(2 * side, Math.round(image.width * scale));
    canvas.height = Math.min(2 * side, Math.round(image.height * scale));
    const [width, height] = [canvas.width / scale, canvas.height / scale]; // the middle of a very long one
    const context = canvas.getContext("2d");
    context.fillStyle = "white";
    context.fillRect(0, 0, canvas.width, canvas.height);
    const [left, top] = [(image.width - width) / 2, (image.height - height) / 2];
    context.drawImage(image, left, top, width, height, 0, 0, canvas.width, canvas.height);
    return await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.92));
  } catch {
    return null;
  }
}

async function base64(file) {
  const reader = new FileReader();
  await new Promise((done, failed) => {
    reader.onload = done;
    reader.onerror = failed;
    reader.readAsDataURL(file);
  });
  return reader.result.slice(reader.result.indexOf(",") + 1);
}

function say(node, sentence) {
  node.querySelector(".said").textContent = sentence;
}
