// On a telephone the sidebar is a sheet at the bottom. This button opens and folds it. A page that is come to has it
// as that page wants it, whatever it was on the one before.

const PHONE = matchMedia("(max-width: 767px)");
const find = (id) => document.querySelector(`[data-testid="${id}"]`);
const isOpen = () => find("stSidebar")?.dataset.collapsed === "false";

const toggle = () =>
  (isOpen() ? find("stSidebarCollapseButton")?.querySelector("button") : find("stExpandSidebarButton"))?.click();
let place; // the page or run that the sheet was set for

export default function ({ data, parentElement }) {
  const button = parentElement.querySelector("button");
  button.querySelector(".label").textContent = data.label;
  if (place !== data.place) {
    place = data.place;
    set(data.open, 20);
  }
  if (button.onclick) return;
  button.onclick = toggle;
  const say = () => (button.ariaExpanded = String(isOpen()));
  const observer = new MutationObserver(say);
  observer.observe(document.body, { subtree: true, attributeFilter: ["data-collapsed"] });
  document.body.addEventListener("mousedown", keepOpen); // once, however many pages ask
  say();
  return () => {
    if (button.isConnected) return;
    observer.disconnect();
    place = undefined;
  };
}

// A page's sidebar may come a moment after this button.
function set(open, tries) {
  if (!PHONE.matches || tries === 0) return;
  if (!find("stSidebar")) setTimeout(set, 100, open, tries - 1);
  else if (isOpen() !== open) toggle();
}

// Streamlit folds a sidebar over a small page at a press beside it, on `document`. The page then moves under the
// finger, and the tap is lost. So such a press ends here: after what is pressed has heard of it, before that.
function keepOpen(event) {
  const sidebar = find("stSidebar");
  if (!PHONE.matches || !isOpen() || sidebar.contains(event.target)) return;
  event.stopPropagation();
}
